/** A text in capital letters without control characters, as machines that sort letters read it. */
export const capitals = (text) => text.toUpperCase().replace(/\p{Cc}/gu, '');
