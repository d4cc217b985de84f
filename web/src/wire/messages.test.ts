import { expect, test } from "vitest";
import clientSchema from "../../../contract/client.schema.json";
import closeCodes from "../../../contract/close-codes.json";
import clientExamples from "../../../contract/examples/client.valid.json";
import serverExamples from "../../../contract/examples/server.valid.json";
import serverSchema from "../../../contract/server.schema.json";
import { messagesModule } from "../../scripts/types.mjs";
import { parseMessage } from "./incoming";
import type { ClientMessage } from "./messages";
import messagesText from "./messages.ts?raw";
import * as outgoing from "./outgoing";

test("the types match the contract; `make contract` generates them", () => {
  expect(messagesText).toBe(messagesModule(clientSchema, serverSchema, closeCodes));
});

test("a schema that the generator does not support is an error", () => {
  const schema = {
    anyOf: [],
    $defs: { Odd: { title: "Odd", description: "", properties: { it: { type: "odd" } } } },
  };
  expect(() => messagesModule(schema, schema, {})).toThrow("does not support");
});

test.each(serverExamples.examples)("the page parses the server's $name", ({ message }) => {
  expect(parseMessage(JSON.stringify(message))).toEqual(message);
});

const MAKE: {
  [T in ClientMessage["type"]]: (message: Extract<ClientMessage, { type: T }>) => ClientMessage;
} = {
  hello: ({ clock }) => outgoing.hello(clock),
  ping: ({ clock }) => outgoing.ping(clock),
  drive: ({ type: _, ...fields }) => outgoing.drive(fields),
  release: ({ type: _, ...fields }) => outgoing.release(fields),
  stop: () => outgoing.stop(),
  "lease.acquire": () => outgoing.acquireLease(),
  "lease.take": () => outgoing.takeLease(),
  "lease.ask": () => outgoing.askForLease(),
  "lease.answer": ({ asker, granted }) => outgoing.answerAsker(asker, granted),
  "lease.give": ({ to }) => outgoing.giveLease(to),
  "lease.return": () => outgoing.returnLease(),
  knock: () => outgoing.knock(),
  "room.curtain": ({ closed }) => outgoing.setCurtain(closed),
  "room.microphone": ({ off }) => outgoing.setMicrophone(off),
  talk: ({ mode }) => outgoing.talk(mode),
  "talk.end": () => outgoing.endTalk(),
  "room.answer": ({ person, answer }) => outgoing.answerPerson(person, answer),
};

const sendable = clientExamples.examples.flatMap((example) =>
  "message" in example ? [{ name: example.name, message: example.message as ClientMessage }] : [],
);

test.each(sendable)("the page's $name matches the contract", ({ message }) => {
  const make = MAKE[message.type] as (message: ClientMessage) => ClientMessage;
  expect(make(message)).toEqual(message);
});
