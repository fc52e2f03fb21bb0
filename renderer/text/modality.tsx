import { headingOf } from "../../contract/title.ts"
import { dataAddress } from "../lib/bytes.ts"
import type { Content } from "../lib/content.ts"
import { glyph } from "../lib/words.ts"
import { hex, type ModalityView, type Pointing, type Shown } from "../modality/view.ts"
import { useActions, useSlice } from "../store/context.ts"
import { Page } from "./Page.tsx"
import { TextView } from "./TextView.tsx"

/** Texts longer than this are read, not typed on: a page to type on holds all of it at once. */
const LONGEST_PAGE = 300_000
/** Characters of a text that a future shows. */
const EXCERPT = 110
const LONGEST_WORD = 30

function Item({ item, content, pack, hovered, selected, onHover }: Shown & Pointing) {
  const actions = useActions()
  const version = useSlice((s) => s.version)
  const live = useSlice((s) => s.run?.ids.includes(item.id) ?? false)
  const busy = useSlice((s) => s.run !== undefined)
  const surprise = useSlice((s) => s.surprise)
  const typable = !busy && !item.scored && content.length <= LONGEST_PAGE
  // Packs whose texts are whole documents begin them with a title.
  const begins = (pack?.text?.header ?? 0) > 0
  const edit = (caret: number) => {
    actions.edit(item.id)
    actions.setDraft({ caret })
  }
  return (
    <TextView
      {...{ content, version, surprise, live, selected, onHover }}
      given={item.given}
      patch={pack?.patch ?? 8}
      usual={pack?.bitsPerByte ?? 1.5}
      shown={hovered ?? selected}
      heading={begins ? (headingOf(content.chunks[0]?.text ?? "")?.length ?? 0) : 0}
      onCaret={typable ? edit : undefined}
      label={`Text of ${item.title}`}
    />
  )
}

const isWhite = (byte: number | undefined) => byte === undefined || byte <= 32

/** Where the word begins that was given in part; where none was, `given`. */
function wordAt({ bytes }: Content, given: number): number {
  if (isWhite(bytes[given])) return given
  let from = given
  while (from > 0 && given - from < LONGEST_WORD && !isWhite(bytes[from - 1])) from--
  return given - from < LONGEST_WORD ? from : given
}

/** The words after what was given, the one too that it ends in. */
function excerpt(content: Content, given: number): string {
  const from = wordAt(content, given)
  const bytes = content.bytes.subarray(from, from + 2 * EXCERPT)
  const text = new TextDecoder().decode(bytes, { stream: true }).replace(/\s+/g, " ").trim()
  return text.length <= EXCERPT ? text : `${text.slice(0, EXCERPT).replace(/ [^ ]*$/, "")}…`
}

export const text: ModalityView = {
  icon: "story",
  letters: true,
  Item,
  Draft: () => <Page placeholder="Once upon a time…" />,
  Thumb: ({ item, content }) => <span className="future-text">{excerpt(content, item.given)}</span>,
  copied: ({ content }) => new ClipboardItem({ "text/plain": new TextDecoder().decode(content.bytes) }),
  dragged: ({ content }) => content && dataAddress("text/plain", content.bytes),
  look: () => ({ name: (byte) => (glyph(byte) === "·" ? hex(byte) : glyph(byte)) }),
}
