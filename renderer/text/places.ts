import type { Chunk, Content } from "../lib/content.ts"

/** Characters of a chunk's text before byte `at` of the content. */
export function charactersBefore(content: Content, chunk: Chunk, at: number): number {
  if (at <= chunk.start) return 0
  if (at >= chunk.end) return chunk.text.length
  const text = new TextDecoder().decode(content.bytes.subarray(chunk.start, at), { stream: true })
  return Math.min(chunk.text.length, text.length)
}

/** The byte of the content at which a chunk's character begins. */
export const byteOfCharacter = (chunk: Chunk, character: number): number =>
  Math.min(chunk.end, chunk.start + new TextEncoder().encode(chunk.text.slice(0, character)).length)

/** The text node and offset at a character of an element's text. */
export function nodeAt(element: Element, character: number): [Node, number] | undefined {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  let left = character
  let last: Node | undefined
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const { length } = node as Text
    if (left <= length) return [node, left]
    left -= length
    last = node
  }
  return last && [last, (last as Text).length]
}

/** The character of an element's text that a node and an offset in it stand for. */
export function characterAt(element: Element, node: Node, offset: number): number {
  const range = document.createRange()
  range.setStart(element, 0)
  range.setEnd(node, offset)
  return range.toString().length
}
