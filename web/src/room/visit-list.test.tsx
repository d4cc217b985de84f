// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test } from "vitest";
import { Api } from "../server/api";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { timeText } from "../words/times";
import { RoomApi, type VisitRow } from "./room-api";
import { deeds, VisitList } from "./visit-list";

const ANN: VisitRow = {
  id: "0123456789ab",
  person: "id-ann",
  name: "Ann",
  began_utc_s: 1_800_000_000,
  lasted_s: 600,
  looked_s: 600,
  drove_s: 120,
  ways: ["webrtc"],
  stills: 2,
  knocks: 1,
  refusals: 0,
  talked_s: 30,
  talked_utc_s: 1_800_000_060,
};
const BO: VisitRow = {
  ...ANN,
  id: "ba9876543210",
  name: "Bo",
  ways: [],
  drove_s: 0,
  stills: 0,
  refusals: 1,
  talked_utc_s: 0,
};

const page = document.createElement("div");
afterEach(() => render(null, page));

async function show(respond: (path: string, init: RequestInit) => Response) {
  const requests: string[] = [];
  const api = new RoomApi(
    new Api({
      fetch: async (path, init = {}) => {
        requests.push(`${init.method} ${path}`);
        return respond(path, init);
      },
    }),
  );
  document.body.append(page);
  void act(() => render(<VisitList api={api} timers={new FakeTimers()} />, page)); // it loads when it has rendered
  await act(flushPromises);
  const click = (name: string) =>
    act(async () => {
      const named = (button: HTMLButtonElement) =>
        (button.getAttribute("aria-label") ?? button.textContent ?? "").startsWith(name);
      [...page.querySelectorAll("button")].find(named)?.click();
      await flushPromises();
    });
  const names = () => [...page.querySelectorAll("li .room-name")].map((each) => each.textContent);
  return { requests, click, names };
}

const answer = (status: number, body: unknown = null): Response =>
  ({ ok: status < 300, status, text: async () => JSON.stringify(body) }) as Response;
const book = (visits: readonly VisitRow[], more = false, kept = true) => answer(200, { visits, more, kept });

test("a line says what the person did", () => {
  expect(deeds(ANN)).toEqual([
    "knocked",
    "looked for 10 min",
    "turned the camera for 2 min",
    `talked for 1 min, last at ${timeText(1_800_000_060_000)}`,
    "kept 2 pictures",
  ]);
  expect(deeds(BO)).toEqual(["knocked", "was not let in"]);
});

test("the visits are listed, older ones on demand, and one is deleted", async () => {
  const { requests, click, names } = await show((path, init) =>
    init.method === "DELETE" ? answer(204) : path.includes("before") ? book([BO]) : book([ANN], true),
  );
  expect(names()).toEqual(["Ann"]);
  await click("Show older");
  expect(names()).toEqual(["Ann", "Bo"]);
  await click("Delete the visit of Ann");
  expect(names()).toEqual(["Bo"]);
  expect(requests).toEqual([
    "GET /api/v1/room/visits",
    "GET /api/v1/room/visits?before=0123456789ab",
    "DELETE /api/v1/room/visits/0123456789ab",
  ]);
});

test("a line that could not be deleted stays, and the page says so", async () => {
  const { click, names } = await show((_, init) => (init.method === "DELETE" ? answer(503) : book([ANN])));
  await click("Delete the visit of Ann");
  expect(names()).toEqual(["Ann"]);
  expect(page.querySelector('[role="status"]')?.textContent).toContain("could not be deleted");
});

test.each([
  ["an empty book", () => book([]), "Nobody has visited yet."],
  ["no book", () => book([], false, false), "No visit book is kept"],
  ["a failure", () => answer(503), "can’t be shown"],
])("%s is said", async (_, respond, text) => {
  await show(respond);
  expect(page.querySelector('[role="status"]')?.textContent).toContain(text);
});
