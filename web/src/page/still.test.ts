// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { FakeTimers } from "../testing/fake-timers";
import { browserStillPorts, StillError, type StillPorts, saveFile, takeStill } from "./still";

const PICTURE = new File(["picture"], "now.jpg", { type: "image/jpeg" });

function setup(changes: Partial<StillPorts> = {}) {
  const timers = new FakeTimers();
  const requests: (readonly [path: string, init: RequestInit])[] = [];
  const downloads: (readonly [address: string, name: string])[] = [];
  const ports: StillPorts = {
    fetch: async (path, init) => {
      requests.push([path, init]);
      return new Response("picture", {
        headers: {
          "content-type": "image/jpeg",
          "content-disposition": 'attachment; filename="belvedere-2026-11-28T09-30-05.250+0100.jpg"',
        },
      });
    },
    share: null,
    download: (...download) => downloads.push(download),
    ...changes,
  };
  return { timers, requests, downloads, ports };
}

async function failureOf(ports: StillPorts, timers = new FakeTimers()) {
  try {
    await takeStill(ports, timers);
  } catch (error) {
    return error instanceof StillError ? error.failure : error;
  }
  return null;
}

test("a still is posted for, and named as the server names it", async () => {
  const { ports, timers, requests } = setup();
  const file = await takeStill(ports, timers);
  expect(requests).toMatchObject([["/api/v1/stage/stills", { method: "POST" }]]);
  expect([file.name, file.type, await file.text()]).toEqual([
    "belvedere-2026-11-28T09-30-05.250+0100.jpg",
    "image/jpeg",
    "picture",
  ]);
});

test.each([null, "attachment", 'attachment; filename="../../etc/passwd"', 'attachment; filename="a b.exe"'])(
  "the name in %s is not used",
  async (disposition) => {
    const headers = disposition === null ? {} : { "content-disposition": disposition };
    const { ports, timers } = setup({ fetch: async () => new Response("picture", { headers }) });
    expect((await takeStill(ports, timers)).name).toBe("belvedere.jpg");
  },
);

test.each([
  [409, "not_watching", "not_watching"],
  [429, "too_fast", "too_fast"],
  [503, "no_picture", "no_picture"],
  [500, "broken", "offline"],
])("a %d with the code %s is %s", async (status, code, failure) => {
  const response = new Response(JSON.stringify({ code, message: "" }), { status });
  expect(await failureOf(setup({ fetch: async () => response }).ports)).toBe(failure);
});

test("a proxy's own page, and no answer at all, say nothing about the picture", async () => {
  expect(await failureOf(setup({ fetch: async () => new Response("<h1>502", { status: 502 }) }).ports)).toBe(
    "offline",
  );
  const refused = async () => {
    throw new TypeError("Failed to fetch");
  };
  expect(await failureOf(setup({ fetch: refused }).ports)).toBe("offline");
});

test("a server that does not answer is not waited for without end", async () => {
  const { ports, timers } = setup({
    fetch: (_, { signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
      }),
  });
  const failing = failureOf(ports, timers);
  timers.advance(12_000);
  expect(await failing).toBe("offline");
});

test("a file is downloaded under its name, and its address is given up later", async () => {
  const { ports, timers, downloads } = setup();
  expect(await saveFile(PICTURE, ports, timers)).toBe("saved");
  expect(downloads).toEqual([[expect.stringMatching(/^blob:/), "now.jpg"]]);
  timers.advance(60_000);
});

const refusing = (name: string) => async () => {
  throw name === "" ? new Error("broken") : new DOMException("", name);
};

test.each([
  ["shared", async () => {}, "saved", 0],
  ["not shared because the visitor closed the sheet", refusing("AbortError"), "cancelled", 0],
  ["not shared because the tap is too long ago", refusing("NotAllowedError"), "needs_tap", 0],
  ["downloaded where sharing fails", refusing("DataError"), "saved", 1],
  ["downloaded where sharing is broken", refusing(""), "saved", 1],
] as const)("on an iPhone a file is %s", async (_, share, result, count) => {
  const { ports, timers, downloads } = setup({ share });
  expect(await saveFile(PICTURE, ports, timers)).toBe(result);
  expect(downloads).toHaveLength(count);
});

test("a browser that is no iPhone's does not share", () => {
  expect(browserStillPorts(fetch).share).toBeNull();
});

test("a download clicks a link of that name, which never enters the page", () => {
  const clicked: string[] = [];
  const click = HTMLAnchorElement.prototype.click;
  HTMLAnchorElement.prototype.click = function () {
    clicked.push(`${this.href} ${this.download} ${this.isConnected}`);
  };
  browserStillPorts(fetch).download("blob:x", "now.jpg");
  HTMLAnchorElement.prototype.click = click;
  expect(clicked).toEqual(["blob:x now.jpg false"]);
});
