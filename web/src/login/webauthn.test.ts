import fc from "fast-check";
import { expect, test } from "vitest";
import { fromBase64Url, passkeyLack, toBase64Url } from "./webauthn";

test.each([
  ["home.example.org", true, {}, "none"],
  ["localhost", true, {}, "none"],
  ["home.example.org", true, undefined, "browser"],
  ["home.local", false, undefined, "address"],
  ["192.168.1.7", true, {}, "address"],
  ["[::1]", true, {}, "address"],
] as const)("at %s, secure: %s, with %o, passkeys lack: %s", (hostname, isSecureContext, api, lack) => {
  expect(passkeyLack({ isSecureContext, location: { hostname }, PublicKeyCredential: api })).toBe(lack);
});

test("bytes come back as they were, and their text fits into JSON and URLs", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = toBase64Url(new Uint8Array(bytes).buffer);
      expect(text).toMatch(/^[\w-]*$/);
      expect(fromBase64Url(text)).toEqual(new Uint8Array(bytes));
    }),
  );
});
