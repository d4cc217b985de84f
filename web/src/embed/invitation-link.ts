// What the embedding page's own address and attributes say: the house, and the secret of an invitation.

/** The address of the house that an attribute names, with its path if it has one; null where it names none. */
export function houseOf(attribute: string | null): string | null {
  try {
    const { protocol, origin, pathname } = new URL(attribute ?? "");
    return protocol === "https:" || protocol === "http:" ? origin + pathname.replace(/\/+$/, "") : null;
  } catch {
    return null;
  }
}

/**
 * The secret of an invitation to this house, or "": `https://family.example/view#belvedere=SECRET&house=home.example.org`.
 * A link without `house` is for the first house that asks. Where there is a secret, `replace` is called with the address
 * without it, so that it is neither in the address bar nor in the history.
 */
export function takeInvitation(
  location: Pick<Location, "pathname" | "search" | "hash">,
  house: string,
  replace: (address: string) => void,
): string {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const secret = fragment.get("belvedere") ?? "";
  const wanted = fragment.get("house") ?? "";
  if (secret === "" || (wanted !== "" && wanted !== house.slice(house.indexOf("://") + 3))) {
    return "";
  }
  fragment.delete("belvedere");
  fragment.delete("house");
  const rest = fragment.toString();
  replace(location.pathname + location.search + (rest === "" ? "" : `#${rest}`));
  return secret;
}
