import { useVirtualizer } from "@tanstack/react-virtual"
import { useRef } from "react"
import { surpriseColor } from "../lib/color.ts"
import type { Content } from "../lib/content.ts"
import { glyph } from "../lib/words.ts"
import { hex } from "../modality/view.ts"
import styles from "./HexView.module.css"

/** Bytes in a row, and a row's height in pixels. */
const ROW = 16
const HEIGHT = 24

/** Bytes as hexadecimal numbers and letters, sixteen a row; only the rows in sight are in the page. */
export function HexView(props: {
  content: Content
  version: number
  /** Bytes that were given, or are to be kept. */
  given: number
  patch: number
  usual: number
  surprise: boolean
  shown: number | undefined
  onHover: (patch: number | undefined) => void
  label: string
}) {
  const { content, given, patch, usual, surprise, shown, onHover, label } = props
  const scroller = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: Math.ceil(content.length / ROW),
    getScrollElement: () => scroller.current,
    estimateSize: () => HEIGHT,
    overscan: 8,
  })
  const cell = (at: number) => {
    const of = Math.floor(at / patch)
    const bits = surprise ? content.meanBits(of * patch, (of + 1) * patch) : undefined
    const names = [at < given && styles.given, of === shown && styles.shown].filter(Boolean).join(" ")
    const style = bits === undefined ? undefined : { background: surpriseColor(bits, usual) }
    return (
      <span key={at} className={names} style={style} onPointerEnter={() => onHover(of)}>
        {hex(content.bytes[at] as number)}
      </span>
    )
  }
  return (
    <section
      className={styles.view}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      ref={scroller}
      onPointerLeave={() => onHover(undefined)}
    >
      <div style={{ height: rows.getTotalSize(), position: "relative" }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const bytes = [...content.bytes.subarray(index * ROW, (index + 1) * ROW)]
          return (
            <div key={index} className={styles.row} style={{ transform: `translateY(${start}px)` }}>
              <i>{(index * ROW).toString(16).padStart(8, "0")}</i>
              <code>{bytes.map((_, i) => cell(index * ROW + i))}</code>
              <b>{bytes.map(glyph).join("")}</b>
            </div>
          )
        })}
      </div>
    </section>
  )
}
