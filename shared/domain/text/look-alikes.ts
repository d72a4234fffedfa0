/**
 * Words that mix Latin letters with Cyrillic or Greek ones of the same look (UTS #39 §5.1, mixed-script confusables): two names that a
 * reader takes for one. A word in one script is none, whatever it looks like, and neither is a mix whose letters are told apart (Δt).
 */
const lookAlike = /[аеорсухѕіјһԁԛԝѵӏАВЕКМНОРСТУХЅІЈӀԚԜονΑΒΕΖΗΙΚΜΝΟΡΤΥΧ]/u;
const latin = /\p{Script=Latin}/u;
const letters = /[\p{L}\p{M}]+/gu;

export type LookAlike = { readonly word: string; readonly codePoint: number };

/** Mixed words of a text with the first letter in each that is not what it looks like. */
export function lookAlikesIn(text: string): LookAlike[] {
  if (!lookAlike.test(text)) return [];
  return [...text.matchAll(letters)].flatMap(([word]) => {
    const letter = lookAlike.exec(word)?.[0];
    return letter !== undefined && latin.test(word) ? [{ word, codePoint: letter.codePointAt(0) ?? 0 }] : [];
  });
}
