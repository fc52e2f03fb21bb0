import { useEffect, useRef } from "react"
import { type Canvas, canvasBytes, pixelBytes, placeOf, rowBytes } from "../../contract/pack.ts"
import { surpriseColor } from "../lib/color.ts"
import type { Content } from "../lib/content.ts"
import { groundOf, type PictureDraft, paintPixels, pixelsOf } from "../lib/pixels.ts"
import { useSize } from "../lib/useSize.ts"

/**
 * A picture, enlarged crisply, that fills patch by patch, by rows or by columns; with `heat` every pixel is colored by
 * the bits per byte of its own. The patch that is pointed at is outlined here and in the strip; a click forks there.
 */
export function PictureView(props: {
  content: Content
  version: number
  canvas: Canvas
  columns?: boolean | undefined
  given: number
  patch: number
  /** Bits per byte that the pack is used to. */
  usual: number
  heat: boolean
  selected: number | undefined
  onSelect: (patch: number | undefined) => void
  onFork: ((at: number) => void) | undefined
  label: string
}) {
  const {
    content,
    version,
    canvas,
    columns = false,
    given,
    patch,
    usual,
    heat,
    selected,
    onSelect,
    onFork,
    label,
  } = props
  const element = useRef<HTMLCanvasElement>(null)
  const [frame, side] = useFitted(canvas)
  const scale = side / canvas.width
  const size = pixelBytes(canvas)

  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  useEffect(() => {
    const g = element.current?.getContext("2d")
    if (!g) return
    paintPixels(g, content.bytes, canvas, columns)
    if (!heat) return
    g.fillStyle = "#fff"
    g.globalAlpha = 0.75
    g.fillRect(0, 0, canvas.width, canvas.height)
    g.globalAlpha = 1
    for (let i = 0; i < pixelsOf(content.bytes, canvas); i++) {
      const bits = content.meanBits(size * i, size * (i + 1))
      if (bits === undefined) continue
      const place = placeOf(i, canvas, columns)
      g.fillStyle = surpriseColor(bits, usual)
      g.fillRect(place % canvas.width, Math.floor(place / canvas.width), 1, 1)
    }
  }, [version, canvas, columns, content, heat, usual])

  const pixels = patch / size
  const line = rowBytes(canvas, columns) / size
  const patchAt = (e: { nativeEvent: { offsetX: number; offsetY: number } }) => {
    const x = Math.max(0, Math.min(canvas.width - 1, Math.floor(e.nativeEvent.offsetX / scale)))
    const y = Math.max(0, Math.min(canvas.height - 1, Math.floor(e.nativeEvent.offsetY / scale)))
    const at = Math.floor((columns ? x * canvas.height + y : y * canvas.width + x) / pixels)
    return at * patch < content.length ? at : undefined
  }
  const first = (selected ?? 0) * pixels
  const [along, across] = [(first % line) * scale, Math.floor(first / line) * scale]
  const ofPatch = { along: Math.min(pixels, line) * scale, across: Math.max(1, pixels / line) * scale }
  return (
    <div className="picture" ref={frame}>
      <div className="picture-frame" style={{ width: side, height: canvas.height * scale, ...groundOf(canvas, scale) }}>
        <canvas
          ref={element}
          width={canvas.width}
          height={canvas.height}
          role="img"
          aria-label={label}
          onPointerMove={(e) => onSelect(patchAt(e))}
          onPointerLeave={() => onSelect(undefined)}
          onClick={(e) => {
            const at = patchAt(e)
            if (at !== undefined) onFork?.(at * patch)
          }}
        />
        {given > 0 && given < canvasBytes(canvas) && (
          <Kept lines={given / rowBytes(canvas, columns)} columns={columns} scale={scale} />
        )}
        {selected !== undefined && selected * patch < content.length && (
          <div
            className="picture-patch"
            style={
              columns
                ? { left: across, top: along, width: ofPatch.across, height: ofPatch.along }
                : { left: along, top: across, width: ofPatch.along, height: ofPatch.across }
            }
          />
        )}
      </div>
    </div>
  )
}

/** The line up to which a picture is kept: across after so many rows, or down after so many columns. */
function Kept({ lines, columns, scale }: { lines: number; columns: boolean; scale: number }) {
  return columns ? (
    <div className="picture-given" style={{ left: lines * scale, top: 0, bottom: 0, right: "auto", width: 0 }} />
  ) : (
    <div className="picture-given" style={{ top: lines * scale }} />
  )
}

/** A picture to go on from: a click, or the slider, chooses the first row or column that is made anew. */
export function PicturePrompt(props: {
  draft: PictureDraft
  canvas: Canvas
  onDraft: (draft: PictureDraft) => void
  children?: React.ReactNode
}) {
  const { draft, canvas, onDraft, children } = props
  const { bytes, columns = false } = draft
  const element = useRef<HTMLCanvasElement>(null)
  const [frame, side] = useFitted(canvas)
  const scale = side / canvas.width
  const most = columns ? canvas.width : canvas.height
  const lines = Math.floor(draft.kept / rowBytes(canvas, columns))
  const keep = (wanted: number, byColumn = columns) => {
    const kept = Math.max(0, Math.min((byColumn ? canvas.width : canvas.height) - 1, wanted))
    onDraft({ ...draft, columns: byColumn, kept: kept * rowBytes(canvas, byColumn) })
  }
  useEffect(() => {
    const g = element.current?.getContext("2d")
    if (!g) return
    const isKept = (place: number) =>
      (columns ? place % canvas.width : Math.floor(place / canvas.width)) < lines ? 1 : 0.2
    paintPixels(g, bytes, canvas, false, isKept)
  }, [bytes, canvas, columns, lines])
  const name = columns ? "columns" : "rows"
  return (
    <>
      <div className="picture" ref={frame}>
        <div
          className="picture-frame"
          style={{ width: side, height: canvas.height * scale, ...groundOf(canvas, scale) }}
        >
          <canvas
            ref={element}
            width={canvas.width}
            height={canvas.height}
            role="img"
            aria-label="The picture to go on from"
            onClick={({ nativeEvent: { offsetX, offsetY } }) => keep(Math.floor((columns ? offsetX : offsetY) / scale))}
          />
          <Kept lines={lines} columns={columns} scale={scale} />
        </div>
      </div>
      {canvas.columns && (
        <fieldset className="keep-way">
          <legend>Keep</legend>
          {[false, true].map((way) => (
            <label key={String(way)}>
              <input type="radio" name="keep-way" checked={columns === way} onChange={() => keep(lines, way)} />
              {way ? "columns from the left" : "rows from the top"}
            </label>
          ))}
        </fieldset>
      )}
      <label className="field keep-rows">
        <span>
          Keep the first{" "}
          <output>
            {lines} of {most} {name}
          </output>
        </span>
        <input
          type="range"
          aria-label={columns ? "Columns to keep" : "Rows to keep"}
          min={0}
          max={most - 1}
          value={lines}
          onChange={(e) => keep(Number(e.target.value))}
        />
      </label>
      {children}
    </>
  )
}

/** Width in CSS pixels that fits the frame: a whole multiple of the canvas, so that all its pixels are of one size. */
function useFitted(canvas: Canvas): [React.RefObject<HTMLDivElement | null>, number] {
  const frame = useRef<HTMLDivElement>(null)
  const { width, height } = useSize(frame)
  const scale = Math.floor(Math.min(width / canvas.width, height / canvas.height))
  return [frame, Math.max(1, Math.min(20, scale)) * canvas.width]
}
