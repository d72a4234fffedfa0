/** What was given to be verified is no export, or no stored anchor; says what and where. Nothing was verified. */
export class ExportMalformed extends Error {
  override readonly name = 'ExportMalformed';
}
