import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  acknowledgement,
  idrRequest,
  microseconds,
  parseDescription,
  parseFrame,
  startMessage,
} from "./stream-wire";

interface Example {
  readonly name: string;
  readonly hex: string;
  readonly text: string;
  readonly type: string;
  readonly view: string;
  readonly ticks: number;
  readonly is_idr: boolean;
  readonly access_unit?: string;
}

const examples = (name: string): Example[] =>
  JSON.parse(readFileSync(new URL(`../../../contract/examples/video.${name}.json`, import.meta.url), "utf8"))
    .examples;
const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const hex = (data: Uint8Array) => [...data].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const SERVER = examples("server.valid");

test.each(SERVER.filter((each) => each.access_unit))("frames of the contract are read: $name", (example) => {
  const frame = parseFrame(bytes(example.hex).buffer);
  expect(frame?.isIdr).toBe(example.is_idr);
  expect(frame?.ticks).toBe(example.ticks);
  expect(frame && hex(frame.accessUnit)).toBe(example.access_unit);
});

test("the description of the contract is read", () => {
  expect(parseDescription(SERVER[0]?.text ?? "")).toEqual({ codec: "avc1.42c01f", width: 1280, height: 720 });
});

test.each(["", "{", "null", "3", '{"codec":1}', '{"codec":"avc1.42c01f"}'])(
  "other text is none: %s",
  (text) => {
    expect(parseDescription(text)).toBeNull();
  },
);

test.each(["", "0101", "01010000000000000000000a", "020100000000000000015180000000016742"])(
  "other bytes are no frame: %s",
  (text) => {
    expect(parseFrame(bytes(text).buffer)).toBeNull();
  },
);

test.each(examples("client.valid"))("messages are those of the contract: $name", (example) => {
  const message =
    example.type === "start"
      ? startMessage(example.view)
      : example.type === "acknowledgement"
        ? acknowledgement(example.ticks)
        : idrRequest();
  expect(hex(message)).toBe(example.hex);
});

test("a capture time is whole microseconds for WebCodecs", () => {
  expect(microseconds(90_000)).toBe(1_000_000);
  expect(microseconds(1)).toBe(11);
});
