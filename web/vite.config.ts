// Builds the page as one script and one style sheet, with nothing inline and nothing from other hosts, as its policy
// `Content-Security-Policy: default-src 'self'` demands.
import { defineConfig } from "vitest/config";

const SERVER = "http://127.0.0.1:8080";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../src/belvedere/gateway/page",
    emptyOutDir: true,
    assetsInlineLimit: 0, // a data: address would need an exception in the policy
    modulePreload: { polyfill: false },
    target: "es2022",
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
