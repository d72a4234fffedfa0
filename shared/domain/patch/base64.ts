/** Whether a text is base64 as RFC 4648 §4 has it, padding included, and nothing else. */
export const isBase64 = (text: string): boolean => Buffer.from(text, 'base64').toString('base64') === text;
