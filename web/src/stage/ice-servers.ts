// The ICE servers that the owner configured, from `Link` headers with rel="ice-server" as the WHEP draft defines them.
import { WHEP_PATH } from "./whep";

/** One link value: a URI in angle brackets, then parameters whose quoted values may contain any character. */
const LINK = /<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]+))*)/g;
const PARAMETER = /;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+))/g;

/** The ICE servers in a `Link` header; other links are skipped. */
export function parseIceServers(link: string | null): RTCIceServer[] {
  return [...(link ?? "").matchAll(LINK)].flatMap(([, urls = "", rest = ""]) => {
    const parameters = new Map(
      [...rest.matchAll(PARAMETER)].map(([, name = "", quoted, plain]) => [
        name.toLowerCase(),
        quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "",
      ]),
    );
    if (parameters.get("rel") !== "ice-server" || !/^(stun|turn)s?:/i.test(urls)) {
      return [];
    }
    const username = parameters.get("username");
    const credential = parameters.get("credential");
    return [
      { urls, ...(username !== undefined && { username }), ...(credential !== undefined && { credential }) },
    ];
  });
}

/** Fetches the list from the server; empty on failure, because most installations need none. */
export async function fetchIceServers(
  fetch: (path: string, init: RequestInit) => Promise<Response>,
): Promise<RTCIceServer[]> {
  try {
    const response = await fetch(WHEP_PATH, { method: "OPTIONS" });
    return response.ok ? parseIceServers(response.headers.get("link")) : [];
  } catch {
    return [];
  }
}
