/** The whole module for these contract files (parsed), laid out as it lies in src/wire. */
export function messagesModule(client: object, server: object, closeCodes: object): string;
