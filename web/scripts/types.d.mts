/** The text of src/wire/messages.ts for these contract files (parsed). */
export function messagesModule(client: object, server: object, closeCodes: object): string;
