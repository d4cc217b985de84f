// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test } from "vitest";
import { Api } from "../server/api";
import { FakeTimers } from "../testing/fake-timers";
import { RoomList } from "./room-list";
import { RoomsPage } from "./rooms-page";

const page = document.createElement("div");
afterEach(() => render(null, page));

async function show(rooms: Readonly<Record<string, Response>>, status = 200) {
  const listed = Object.keys(rooms).map((name) => ({ name, url: `https://${name}.example.org` }));
  const list = new RoomList({
    timers: new FakeTimers(),
    api: new Api({ fetch: async () => new Response(JSON.stringify(listed), { status }) }),
    fetch: async (address) =>
      rooms[new URL(address).hostname.split(".")[0] ?? ""]?.clone() ?? Response.error(),
  });
  document.body.append(page);
  await act(async () => {
    render(<RoomsPage list={list} />, page);
    await list.refresh();
  });
  return [...page.querySelectorAll(".rooms-room")].map((each) => [
    each.getAttribute("href"),
    (each.textContent ?? "").trim(),
  ]);
}

test("a room is a link with what it says, and one that cannot be reached is none", async () => {
  const rows = await show({
    kitchen: Response.json({ access: "open" }),
    study: Response.json({ access: "curtain" }),
    attic: new Response("", { status: 502 }),
    cellar: new Response("{}", { status: 401 }),
  });
  expect(rows).toEqual([
    ["https://kitchen.example.org/", "kitchen You can look in now."],
    ["https://study.example.org/", "study The curtain is closed."],
    [null, "attic Can’t be reached right now."],
  ]);
  expect(page.querySelector("button.secondary:not([lang])")?.textContent).toBe("Try again");
});

test("a state that only a later server knows is no reason to hide a room", async () => {
  const rows = await show({ kitchen: Response.json({ access: "sunny" }) });
  expect(rows).toEqual([["https://kitchen.example.org/", "kitchen You can look in now."]]);
});

test("whoever may enter no room is told so", async () => {
  expect(await show({ kitchen: new Response("{}", { status: 401 }) })).toEqual([]);
  expect(page.textContent).toContain("None of the rooms is open to you right now.");
});

test("a visit that has ended, and a server that cannot be reached, are told apart", async () => {
  await show({ kitchen: Response.error() }, 401);
  expect(page.querySelector("a.primary")?.getAttribute("href")).toBe("/");
  await show({ kitchen: Response.error() }, 502);
  expect(page.querySelector("a.primary")).toBeNull();
  expect(page.textContent).toContain("Home can’t be reached right now.");
});
