import { expect, test } from "vitest";
import { BearerStore, type TabStorage } from "./bearer-store";

const HOUSE = "https://home.example.org";

function memory(): TabStorage & { readonly entries: Map<string, string> } {
  const entries = new Map<string, string>();
  return {
    entries,
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
  };
}

const refusing = (): TabStorage => {
  throw new DOMException("", "SecurityError");
};

test("a bearer survives a reload, and each house has its own", () => {
  const storage = memory();
  new BearerStore(HOUSE, () => storage).keep("bf_1");
  expect(new BearerStore(HOUSE, () => storage).bearer).toBe("bf_1");
  expect(new BearerStore("https://other.example.org", () => storage).bearer).toBeNull();
});

test("two elements that show the same house share the newest", () => {
  const storage = memory();
  const [one, other] = [new BearerStore(HOUSE, () => storage), new BearerStore(HOUSE, () => storage)];
  one.keep("bf_1");
  other.keep("bf_2");
  expect(one.bearer).toBe("bf_2");
});

test("a forgotten bearer is nowhere", () => {
  const storage = memory();
  const store = new BearerStore(HOUSE, () => storage);
  store.keep("bf_1");
  store.keep(null);
  expect(store.bearer).toBeNull();
  expect(storage.entries.size).toBe(0);
});

test("where the browser refuses its storage, a bearer is kept until a reload", () => {
  const store = new BearerStore(HOUSE, refusing);
  expect(store.bearer).toBeNull();
  store.keep("bf_1");
  expect(store.bearer).toBe("bf_1");
  store.keep(null);
  expect(store.bearer).toBeNull();
});
