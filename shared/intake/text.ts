import type { RefusalDetail } from '../domain/refusal.ts';

/** UTF-8 bytes as text (RFC 8259 §8.1; a byte order mark is dropped), or the fault that they are not. */
export function textOf(bytes: Uint8Array): { text: string } | { fault: RefusalDetail } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return {
      fault: {
        pointer: '',
        code: 'encoding',
        message: 'The bytes are not UTF-8. Save the document as UTF-8 and send it again.',
      },
    };
  }
}
