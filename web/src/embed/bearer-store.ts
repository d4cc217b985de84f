// Keeps the bearer of a house in this tab: over a reload, and not longer than the tab. The other page's scripts can read
// it, as they could read it in memory; in `localStorage` they could read it for as long as it is valid.

/** The part of `sessionStorage` that is used. Browsers may refuse it, at any call, even to be asked for. */
export type TabStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export class BearerStore {
  readonly #key: string;
  readonly #storage: () => TabStorage;
  /** Where the storage refuses. */
  #inMemory: string | null = null;

  /** `house` is its origin: a bearer is never sent to another. */
  constructor(house: string, storage: () => TabStorage) {
    this.#key = `belvedere-bearer ${house}`;
    this.#storage = storage;
  }

  /** The newest, whichever element of this page has received it. */
  get bearer(): string | null {
    try {
      return this.#storage().getItem(this.#key) ?? this.#inMemory;
    } catch {
      return this.#inMemory;
    }
  }

  /** Null forgets it. */
  keep(bearer: string | null): void {
    this.#inMemory = bearer;
    try {
      if (bearer === null) {
        this.#storage().removeItem(this.#key);
      } else {
        this.#storage().setItem(this.#key, bearer);
      }
    } catch {
      // it is kept in memory, until a reload
    }
  }
}
