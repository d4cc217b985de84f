// The path that the house of this page lives below, such as "/kitchen"; "" where it has its host for itself.

/** As the server has written it into the page; "" on pages that are not ours. */
export function basePath(page: Pick<Document, "querySelector"> = document): string {
  return page.querySelector('meta[name="belvedere-base-path"]')?.getAttribute("content") ?? "";
}

/** Which of the house's own pages an address is, such as "/room": its path below the base path. */
export function pageOf(location: Pick<Location, "pathname">, base: string): string {
  const { pathname } = location;
  return base !== "" && (pathname === base || pathname.startsWith(`${base}/`))
    ? pathname.slice(base.length) || "/"
    : pathname;
}
