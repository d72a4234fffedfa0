/** A fault of a blueprint: where (JSON pointer into the line, RFC 6901), a stable code, and what to do. */
export type BlueprintFault = { readonly pointer: string; readonly code: string; readonly message: string };
