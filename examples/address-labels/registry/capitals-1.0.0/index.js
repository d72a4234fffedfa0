/** A text in capital letters, as machines that sort letters read it. */
export const capitals = (text) => text.toUpperCase();
