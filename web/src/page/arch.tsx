// The picture on the start screen: an arched window with a view at sunset.

export function Arch() {
  return (
    <svg class="arch" viewBox="0 0 160 190" aria-hidden="true">
      <defs>
        <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stop-color="#6b3f33" />
          <stop offset="0.55" stop-color="#d98a4e" />
          <stop offset="1" stop-color="#f6cf94" />
        </linearGradient>
        <clipPath id="opening">
          <path d="M22 172V80a58 58 0 0 1 116 0v92z" />
        </clipPath>
      </defs>
      <g clip-path="url(#opening)">
        <rect width="160" height="190" fill="url(#sky)" />
        <circle class="arch-sun" cx="98" cy="104" r="15" fill="#fff0d8" />
        <path d="M0 128c26-16 48-14 74-3s52 8 86-10v75H0z" fill="#9a5a3a" />
        <path d="M0 146c34-13 62-6 92 0s50 2 68-6v50H0z" fill="#5d3526" />
        <path d="M0 163c40-8 90-8 160 0v27H0z" fill="#38211a" />
        <path d="M46 158c-1-9 1-18 4-25 3 7 5 16 4 25z" fill="#2b1a15" />
        <path d="M57 160c-1-6 0-12 3-18 3 6 4 12 3 18z" fill="#2b1a15" />
      </g>
      <path
        d="M22 172V80a58 58 0 0 1 116 0v92"
        fill="none"
        stroke="#f3e3cf"
        stroke-opacity="0.85"
        stroke-width="5"
      />
      <path d="M8 175h144" stroke="#f3e3cf" stroke-opacity="0.85" stroke-width="6" stroke-linecap="round" />
    </svg>
  );
}
