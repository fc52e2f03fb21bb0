/** What the page measures on texts: samples beside held-out stories. */

const words = (text: string) => text.toLowerCase().match(/[a-zà-ÿ]+(?:['’][a-z]+)*/g) ?? []
const runs = (all: string[], length: number) => all.slice(length - 1).map((_, i) => all.slice(i, i + length).join(" "))
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length)

/** Of the four words in a row of each piece, the share that differ; the mean over pieces. Looping makes it less. */
export function distinct(pieces: string[]): number {
  const shares = pieces.map((piece) => {
    const grams = runs(words(piece), 4)
    return new Set(grams).size / Math.max(1, grams.length)
  })
  return mean(shares)
}

/** Of the names in each piece (capitals inside a sentence), the share that comes more than once in it. */
export function returning(pieces: string[]): number {
  const names = pieces.flatMap((piece) =>
    [...new Set(piece.match(/(?<=[a-z,;] )[A-Z][a-z]{2,}/g))].map((name) => piece.split(name).length > 2),
  )
  return mean(names.map(Number))
}

/** Of the paragraphs with quotes, without the first and the last of each piece, the share whose quotes all close. */
export function closing(pieces: string[]): number {
  const inside = pieces.flatMap((piece) => piece.split(/\n\s*\n/).slice(1, -1))
  const spoken = inside.filter((paragraph) => /["“”]/.test(paragraph))
  const count = (paragraph: string, mark: string) => paragraph.split(mark).length - 1
  return mean(spoken.map((p) => Number(count(p, '"') % 2 === 0 && count(p, "“") === count(p, "”"))))
}

/** Share of words that `known` has. */
export const wordsKnown = (pieces: string[], known: Set<string>) =>
  mean(pieces.flatMap(words).map((word) => Number(known.has(word))))

/** Words that a text uses five times at least: a list of misprints would be no dictionary. */
export function dictionary(text: string): Set<string> {
  const counts = new Map<string, number>()
  for (let i = 0; i < text.length; i += 2 ** 22)
    for (const word of words(text.slice(i, i + 2 ** 22))) counts.set(word, (counts.get(word) ?? 0) + 1)
  return new Set([...counts].filter(([, count]) => count >= 5).map(([word]) => word))
}

/** Sentences of four words or more, without quotes around them; not the last, which may be cut. */
const sentences = (text: string) =>
  text
    .split(/(?<=[.!?]["”']?)\s+/)
    .slice(0, -1)
    .map((sentence) => sentence.replace(/^["“'‘]+|["”'’]+$/g, ""))
    .filter((sentence) => words(sentence).length >= 4)

/** Share of the whole sentences in `pieces` that stand in `training` word by word. */
export const sentencesKnown = (pieces: string[], training: string) =>
  mean(pieces.flatMap(sentences).map((sentence) => Number(training.includes(sentence))))

/** Curly quotes, dashes and an ellipsis for what a typewriter has. */
export function typographic(text: string): string {
  return text
    .replace(/ ?--+ ?/g, "—")
    .replaceAll("...", "…")
    .replace(/(^|[\s([—])"/g, "$1“")
    .replaceAll('"', "”")
    .replace(/(^|[\s([—“])'/g, "$1‘")
    .replaceAll("'", "’")
}

/** Titles are no sentences: a story without its first line where that is one. */
export function withoutTitle(story: string): string {
  const [first = "", ...rest] = story.split("\n\n")
  return rest.length && first.length < 80 && !/[.!?"”']$/.test(first) ? rest.join("\n\n") : story
}

/** The whole characters among the first `count` bytes. */
export const firstBytes = (text: string, count: number) =>
  new TextDecoder().decode(Buffer.from(text).subarray(0, count), { stream: true })
