/** A header, query or parameter value; the wire form tells an absent value from an empty one. */
export type NullableValues = Readonly<Record<string, { readonly value: string }>>;

/** An HTTP request as the programming model reads it (RpcHttp, without streams). */
export interface HttpRequestData {
  readonly method: string;
  readonly url: string;
  readonly nullableHeaders: NullableValues;
  readonly nullableQuery: NullableValues;
  readonly nullableParams: NullableValues;
  readonly body?: { readonly bytes: Uint8Array };
}

/** A cookie as the programming model writes it (RpcHttpCookie). */
export interface CookieData {
  readonly name: string;
  readonly value: string;
  readonly domain?: { readonly value: string };
  readonly path?: { readonly value: string };
  readonly expires?: { readonly value: Date | { readonly seconds: number } };
  readonly maxAge?: { readonly value: number };
  readonly secure?: { readonly value: boolean };
  readonly httpOnly?: { readonly value: boolean };
  readonly sameSite?: string;
}

/** An HTTP answer as the programming model writes it. */
export interface HttpResponseData {
  readonly statusCode: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly CookieData[];
  readonly body?: TypedData | null;
}

/** RpcTypedData: at most one of its fields is set; none set means no value. */
export interface TypedData {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly int?: number;
  readonly double?: number;
  readonly http?: HttpRequestData | HttpResponseData | Record<string, never>;
}

/** The JSON text that stands for a returned value: no value is `null`, bytes are base64. */
export function typedDataToJson(data: TypedData | null | undefined): string {
  if (data === null || data === undefined) return 'null';
  if (data.json !== undefined) return data.json;
  if (data.string !== undefined) return JSON.stringify(data.string);
  if (data.int !== undefined) return String(data.int);
  if (data.double !== undefined) return JSON.stringify(data.double);
  if (data.bytes !== undefined) return JSON.stringify(Buffer.from(data.bytes).toString('base64'));
  return 'null';
}
