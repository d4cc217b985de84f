// The owner's ICE servers, as the WHEP draft has them told: `Link` headers of rel="ice-server".
import { WHEP_PATH } from "./whep";

/** One link value: its address, and then parameters whose values may hold any character in quotes. */
const LINK = /<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]+))*)/g;
const PARAMETER = /;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+))/g;

/** What a `Link` header tells; addresses that are no ICE servers' are passed over. */
export function readIceServers(link: string | null): RTCIceServer[] {
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

/** Asks the server; none where it cannot be asked, because most houses need none. */
export async function askIceServers(
  fetch: (path: string, init: RequestInit) => Promise<Response>,
): Promise<RTCIceServer[]> {
  try {
    const response = await fetch(WHEP_PATH, { method: "OPTIONS" });
    return response.ok ? readIceServers(response.headers.get("link")) : [];
  } catch {
    return [];
  }
}
