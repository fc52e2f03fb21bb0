import { MediaError } from "./error.ts"

/** How much of a dropped text is taken: the end of it, which is all a model can look at many times over. */
const MOST = 8 * 2 ** 20

/**
 * Canonical text: UTF-8 without a byte order mark, line ends as \n. `note` says what was done, empty when nothing.
 * @throws MediaError when the bytes are not text in an encoding that can be told
 */
export function readText(name: string, bytes: Uint8Array): { bytes: Uint8Array; note: string } {
  const encoding = encodingOf(bytes)
  if (!encoding) throw new MediaError(`${name} is neither text nor a picture that can be read; nothing has changed.`)
  const notes: string[] = []
  let text = new TextDecoder(encoding).decode(bytes)
  if (encoding !== "utf-8") notes.push(`${encoding.toUpperCase()} read as text`)
  if (text.includes("\r")) {
    text = text.replace(/\r\n?/g, "\n")
    notes.push("line ends made \\n")
  }
  let out = new TextEncoder().encode(text)
  if (out.length > MOST) {
    let start = out.length - MOST
    while (((out[start] as number) & 0xc0) === 0x80) start++
    out = out.slice(start)
    notes.push("only the last 8 MB are shown, far more than the model looks back")
  }
  return { bytes: out, note: notes.join("; ") }
}

/** UTF-8 where it is valid, UTF-16 by its mark, Windows-1252 for anything else without control bytes. */
function encodingOf(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le"
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be"
  const head = bytes.subarray(0, 65536)
  if (head.some((b) => b < 9 || (b > 13 && b < 32 && b !== 27))) return undefined
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    return "utf-8"
  } catch {
    return "windows-1252"
  }
}
