/**
 * What a request may hold, as it is kept in `requests.json`: `any`, the list of values, or the names of an object with what is in each. An object that
 * no template of ours writes into is kept as `object`, so that the file holds what is needed and no more. A name `*` means that others are taken too.
 */
export type Published = 'any' | 'object' | readonly string[] | { readonly [name: string]: Published };

export type PublishedRequest = {
  /** The package with its version, and the API versions that it speaks. */
  readonly from: string;
  readonly apiVersions: readonly string[];
  readonly request: Published;
};

export type PublishedRequests = Readonly<Record<string, PublishedRequest>>;
