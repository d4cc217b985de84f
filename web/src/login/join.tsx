// The page of somebody without a session: the button of an invitation, or how to get one.
import { useEffect, useState } from "preact/hooks";
import { Arch } from "../page/arch";

/** What is needed of the house. */
export interface LoginPorts {
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

const INVITATION = "/api/v1/login/invitation";

/** The secret of an invitation's link, `/join#SECRET`; null at every other address. */
export function secretIn(address: Pick<Location, "pathname" | "hash">): string | null {
  return address.pathname === "/join" ? address.hash.slice(1) : null;
}

type State = "asking" | "invited" | "joining" | "no_link" | "used" | "unreachable";

const TITLES: Record<State, string> = {
  asking: "Belvedere",
  invited: "You are invited",
  joining: "You are invited",
  no_link: "You need a link to come in",
  used: "This link does not work any more",
  unreachable: "Home can’t be reached right now",
};
const TEXTS: Record<State, string> = {
  asking: "",
  invited: "The view from home is one tap away.",
  joining: "The view from home is one tap away.",
  no_link: "This is a private home. Ask the owner for a link, then open it in this browser.",
  used: "This link has already been used or has expired. Ask the owner for a new one.",
  unreachable: "Please try again in a moment.",
};

export function Join({
  ports,
  secret,
  onJoined = () => {},
}: {
  ports: LoginPorts;
  secret: string;
  onJoined?: () => void;
}) {
  const [state, setState] = useState<State>(secret === "" ? "no_link" : "asking");
  const [name, setName] = useState("");

  const ask = async () => {
    const response = await send(ports, `${INVITATION}/peek`, secret);
    setName(response?.ok ? ((await response.json()) as { name: string }).name : "");
    setState(response === null ? "unreachable" : response.ok ? "invited" : "used");
  };
  const join = async () => {
    setState("joining");
    const response = await send(ports, INVITATION, secret);
    if (response?.ok) {
      onJoined();
    } else {
      setState(response?.status === 403 ? "used" : "unreachable");
    }
  };
  useEffect(() => {
    if (secret !== "") {
      void ask();
    }
  }, []);

  return (
    <div class="start-screen" data-topic={state}>
      <Arch />
      <h1>{TITLES[state]}</h1>
      <div class="start-message" role="status">
        {name !== "" && <p>{name}</p>}
        <p>{TEXTS[state]}</p>
      </div>
      <div class="actions">
        {(state === "invited" || state === "joining") && (
          <button type="button" class="primary" disabled={state === "joining"} onClick={() => void join()}>
            Come in
          </button>
        )}
        {state === "unreachable" && (
          <button type="button" class="primary" onClick={() => void ask()}>
            Try again
          </button>
        )}
      </div>
    </div>
  );
}

/** The server's answer; null where there is none. */
async function send(ports: LoginPorts, path: string, secret: string): Promise<Response | null> {
  try {
    return await ports.fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ secret }),
    });
  } catch {
    return null;
  }
}
