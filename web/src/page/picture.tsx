// The box of everything that shows the picture: whatever is in it is framed, cropped and zoomed alike. It has the
// picture's own size, in whole pixels: browsers round sizes before they scale them, which would leave a gap at an edge.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { PictureFraming } from "./framing";

export interface PictureProps {
  readonly framing: PictureFraming;
  readonly children: ComponentChildren;
}

export function Picture({ framing, children }: PictureProps) {
  const area = useRef<HTMLDivElement>(null);
  useEffect(() => followSize(area.current, framing), [framing]);
  const { widthPx, heightPx } = framing.pictureSize.value;
  const { scale, leftPx, topPx } = framing.placement.value;
  return (
    <div ref={area} class="picture-area">
      <div
        class={framing.isGliding.value ? "picture-box picture-glide" : "picture-box"}
        style={{
          width: `${widthPx}px`,
          height: `${heightPx}px`,
          transform: `translate(${leftPx}px, ${topPx}px) scale(${scale})`,
        }}
      >
        {children}
      </div>
    </div>
  );
}

function followSize(area: HTMLElement | null, framing: PictureFraming) {
  if (area === null) {
    return;
  }
  const measure = () => framing.receiveScreen({ widthPx: area.clientWidth, heightPx: area.clientHeight });
  measure();
  const observer = new ResizeObserver(measure);
  observer.observe(area);
  return () => observer.disconnect();
}
