import { describe, expect, it } from "vitest";
import { basePath, pageOf } from "./base-path";

function page(content: string | null) {
  const meta = content === null ? null : ({ getAttribute: () => content } as unknown as Element);
  return { querySelector: () => meta } as unknown as Document;
}

describe("the base path", () => {
  it("is what the server wrote into the page, and none on other pages", () => {
    expect(basePath(page("/kitchen"))).toBe("/kitchen");
    expect(basePath(page(""))).toBe("");
    expect(basePath(page(null))).toBe("");
  });

  it.each([
    ["/kitchen/room", "/kitchen", "/room"],
    ["/kitchen", "/kitchen", "/"],
    ["/kitchen/", "/kitchen", "/"],
    ["/room", "", "/room"],
    ["/room", "/kitchen", "/room"], // reached past the proxy
    ["/kitchens/room", "/kitchen", "/kitchens/room"],
  ])("makes of %s below %s the page %s", (pathname, base, expected) => {
    expect(pageOf({ pathname }, base)).toBe(expected);
  });
});
