import { EBCDIC_TEXT } from "./detect.ts"
import { decodeText, isEbcdic } from "./encoding.ts"
import { MediaError } from "./error.ts"

/** How much of a dropped text is taken: the end of it, which is all a model can look at many times over. */
const MOST = 8 * 2 ** 20

/**
 * Canonical text: UTF-8 without a byte order mark, line ends as \n. `note` says what was done, empty when nothing.
 * @throws MediaError when the bytes are not text in an encoding that can be told
 */
export function readText(name: string, bytes: Uint8Array): { bytes: Uint8Array; note: string } {
  if (isEbcdic(bytes)) throw new MediaError(`${name} ${EBCDIC_TEXT}`)
  const decoded = decodeText(bytes)
  if (!decoded) throw new MediaError(`${name} is neither text nor a picture nor a sound.`)
  const notes: string[] = []
  let { text } = decoded
  if (decoded.encoding !== "UTF-8") notes.push(`${decoded.encoding} read as text`)
  if (decoded.damaged) notes.push("damaged characters are shown as \uFFFD")
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
