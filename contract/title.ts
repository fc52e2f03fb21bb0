/** The name that an item goes by. */

/** What has no name yet. */
export const UNTITLED = "Untitled"

/** Characters of a title. */
export const LONGEST_TITLE = 200

/** Any text in one line, without what is invisible or turns the line around: control characters, marks of direction, halves. */
const lineFrom = (text: string) =>
  text
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g, "")
    .replace(/\s+/g, " ")
    .trim()

/** Any text as a title: one line, short enough to be kept; never empty. */
export function titleFrom(text: string): string {
  const line = lineFrom(text)
  if (line.length <= LONGEST_TITLE) return line || UNTITLED
  const cut = line.slice(0, LONGEST_TITLE - 1)
  // Not in the middle of a character of two halves.
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`
}

/** A file's name as it is told of: one line, with both of its ends where it is long; never empty. */
export function fileNameFrom(name: string): string {
  const characters = [...lineFrom(name)]
  const end = 40
  if (characters.length <= LONGEST_TITLE / 2) return characters.join("") || "The file"
  return `${characters.slice(0, LONGEST_TITLE / 2 - end - 1).join("")}…${characters.slice(-end).join("")}`
}

/** Characters of a line that may be a story's title. */
const LONGEST_HEADING = 80

/**
 * The title that a text of its own begins with: a short first line, no sentence, with an empty line after it.
 * @returns nothing where it begins otherwise
 */
export function headingOf(text: string): string | undefined {
  const [, line = ""] = /^([^\n]+)\n\n/.exec(text.slice(0, LONGEST_HEADING + 2)) ?? []
  return line.trim() && !/[.,;:…"”]\s*$/.test(line) ? line : undefined
}
