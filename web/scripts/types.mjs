// Writes src/wire/messages.ts from contract/: `npm run types`. It reads what msgspec writes (objects of plain fields,
// enumerations, references, alternatives), and refuses everything else rather than guess.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Names that mean something else in TypeScript. */
const RENAMED = { Error: "ErrorMessage" };

/** The whole module for these contract files (parsed), laid out as it lies in src/wire. */
export function messagesModule(client, server, closeCodes) {
  const parts = [
    "// The wire messages of `belvedere.v1`, generated from contract/ by `npm run types`: not edited by hand.",
    union("ClientMessage", "Anything a client may say.", client),
    ...Object.values(client.$defs).map(type),
    union("ServerMessage", "Anything the server may say.", server),
    ...Object.values(server.$defs).map(type),
    codes(closeCodes),
  ];
  return `${parts.join("\n\n")}\n`;
}

function union(name, words, schema) {
  const members = schema.anyOf.map((member) => `\n  | ${typeOf(member)}`);
  return `${comment(words)}\nexport type ${name} =${members.join("")};`;
}

function type(schema) {
  const fields = Object.entries(schema.properties).map(([name, field]) => {
    const isOptional = !(schema.required ?? []).includes(name);
    return `  readonly ${name}${isOptional ? "?" : ""}: ${typeOf(field)};`;
  });
  return `${comment(schema.description)}\nexport interface ${nameOf(schema.title)} {\n${fields.join("\n")}\n}`;
}

function typeOf(schema) {
  if (schema.$ref !== undefined) {
    return nameOf(schema.$ref.split("/").at(-1));
  }
  if (schema.enum !== undefined) {
    return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  }
  if (schema.anyOf !== undefined) {
    return schema.anyOf.map(typeOf).join(" | ");
  }
  switch (schema.type) {
    case "integer":
    case "number":
      return "number";
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    default:
      throw new Error(`contract/ says more than this generator knows: ${JSON.stringify(schema)}`);
  }
}

function codes(closeCodes) {
  const lines = Object.entries(closeCodes).map(([name, code]) => `  ${name}: ${code},`);
  const words = "Why the server ends a socket, besides the codes of RFC 6455.";
  return `${comment(words)}\nexport const CLOSE_CODES = {\n${lines.join("\n")}\n} as const;`;
}

function nameOf(title) {
  return RENAMED[title] ?? title;
}

/** Python's indentation taken away, TypeScript's comment put around. */
function comment(words) {
  const lines = words.split("\n").map((line) => line.replace(/^ {4}/, ""));
  return lines.length === 1
    ? `/** ${lines[0]} */`
    : `/**\n${lines.map((line) => ` * ${line}`.trimEnd()).join("\n")}\n */`;
}

function main() {
  const file = (path) => fileURLToPath(new URL(path, import.meta.url));
  const json = (name) => JSON.parse(readFileSync(file(`../../contract/${name}`), "utf8"));
  const text = messagesModule(
    json("client.schema.json"),
    json("server.schema.json"),
    json("close-codes.json"),
  );
  writeFileSync(file("../src/wire/messages.ts"), text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main();
}
