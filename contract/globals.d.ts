/** What Node and browsers both have, and the language's own library does not describe. */
declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>
}
