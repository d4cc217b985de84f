// Generates src/wire/messages.ts from contract/: `npm run types`. It supports the JSON Schema that msgspec writes (objects
// with plain fields, lists, enumerations, references, alternatives); anything else is an error.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Names that are taken in TypeScript. */
const RENAMED = { Error: "ErrorMessage" };

/** The text of src/wire/messages.ts for these contract files (parsed). */
export function messagesModule(client, server, closeCodes) {
  const parts = [
    "// The wire messages of `belvedere.v1`, generated from contract/ by `npm run types`: not edited by hand.",
    union("ClientMessage", "Every message that a client can send.", client),
    ...Object.values(client.$defs).map(type),
    union("ServerMessage", "Every message that the server can send.", server),
    ...Object.values(server.$defs).map(type),
    codes(closeCodes),
  ];
  return `${parts.join("\n\n")}\n`;
}

function union(name, text, schema) {
  const members = schema.anyOf.map((member) => `\n  | ${typeOf(member)}`);
  return `${comment(text)}\nexport type ${name} =${members.join("")};`;
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
    case "array":
      return listOf(typeOf(schema.items));
    default:
      throw new Error(`this generator does not support: ${JSON.stringify(schema)}`);
  }
}

function listOf(item) {
  return item.includes(" | ") ? `readonly (${item})[]` : `readonly ${item}[]`;
}

function codes(closeCodes) {
  const lines = Object.entries(closeCodes).map(([name, code]) => `  ${name}: ${code},`);
  const text = "Close codes of the server, besides those of RFC 6455.";
  return `${comment(text)}\nexport const CLOSE_CODES = {\n${lines.join("\n")}\n} as const;`;
}

function nameOf(title) {
  return RENAMED[title] ?? title;
}

/** A Python docstring as a TypeScript doc comment. */
function comment(text) {
  const lines = text.split("\n").map((line) => line.replace(/^ {4}/, ""));
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
