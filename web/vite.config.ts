// Builds the page, and the element that other pages embed, with nothing inline and nothing from other hosts, as the page's
// policy `Content-Security-Policy: default-src 'self'` demands. What both need is in one script that they share.
import { defineConfig } from "vitest/config";

const SERVER = "http://127.0.0.1:8080";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  base: "./", // relative, because one build serves houses at several paths; the server completes the index
  build: {
    outDir: "../src/belvedere/gateway/page",
    emptyOutDir: true,
    assetsInlineLimit: 0, // a data: address would need an exception in the policy
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 800, // in kB; Amazon's SDK is large, and `npm run budget` watches the rest
    rollupOptions: {
      input: { index: "index.html", embed: "src/embed/element.tsx" },
      output: {
        // other pages name it, so its name stays; the files that it loads have a hash of their content in theirs
        entryFileNames: (chunk) => (chunk.name === "embed" ? "embed.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  server: {
    proxy: {
      "/api": { target: SERVER, ws: true },
      "/readyz": SERVER,
    },
  },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    environment: "node",
  },
});
