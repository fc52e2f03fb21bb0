import { useEffect, useRef } from "react"
import type { Sound } from "../../contract/pack.ts"
import { sharpContext } from "../lib/canvas.ts"
import type { Content } from "../lib/content.ts"
import { useSize } from "../lib/useSize.ts"
import { useThemeCount } from "../lib/useTheme.ts"
import type { Pointing } from "../modality/view.ts"

export type Shown = {
  content: Content
  version: number
  sound: Sound
  /** Byte that is being heard. */
  heard: number | undefined
  label: string
  /** Patches that are pointed at, here or in the strip, each of so many bytes. */
  pointing?: (Pointing & { patch: number }) | undefined
  onPick: (byte: number) => void
}

/** Fills a canvas of so many CSS pixels. */
export type Paint = (g: CanvasRenderingContext2D, width: number, height: number) => void

/** A canvas from a sound's beginning to its end, under marks of what is heard and pointed at; a click chooses a time. */
export function Panel(props: Shown & { paint: Paint }) {
  const { content, heard, label, pointing, onPick, paint } = props
  const element = useRef<HTMLCanvasElement>(null)
  const { width, height } = useSize(element)
  const theme = useThemeCount()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colors are drawn
  useEffect(() => {
    const g = sharpContext(element.current, width, height)
    if (g && content.length) paint(g, width, height)
  }, [width, height, content, paint, theme])
  const { length } = content
  const byteAt = ({ nativeEvent: { offsetX } }: React.MouseEvent) =>
    Math.max(0, Math.min(length - 1, Math.floor((offsetX / Math.max(1, width)) * length)))
  const percent = (bytes: number) => `${(100 * Math.min(bytes, length)) / length}%`
  const stretch = (name: string, index: number | undefined) =>
    pointing && index !== undefined && index * pointing.patch < length ? (
      <div
        className={`stretch ${name}`}
        style={{ left: percent(index * pointing.patch), width: percent(pointing.patch) }}
      />
    ) : null
  return (
    <div className="panel">
      <canvas
        className="wave"
        ref={element}
        role="img"
        aria-label={label}
        onPointerMove={(e) => pointing && length && pointing.onHover(Math.floor(byteAt(e) / pointing.patch))}
        onPointerLeave={() => pointing?.onHover(undefined)}
        onClick={(e) => length && onPick(byteAt(e))}
      />
      {stretch("hovered", pointing?.hovered)}
      {stretch("selected", pointing?.selected)}
      {heard !== undefined && length > 0 && <div className="playhead" style={{ left: percent(heard) }} />}
    </div>
  )
}
