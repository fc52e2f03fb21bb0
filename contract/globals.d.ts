/** What Node and browsers both have, and the language's own library does not describe. */
declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>
}
interface AbortSignal {
  readonly aborted: boolean
  addEventListener(type: "abort", listener: () => void): void
  removeEventListener(type: "abort", listener: () => void): void
}
declare class AbortController {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}
declare class TextDecoder {
  constructor(label: "utf-8", options?: { fatal?: boolean })
  decode(bytes?: Uint8Array): string
}
