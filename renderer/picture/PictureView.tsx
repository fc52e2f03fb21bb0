import { useEffect, useRef } from "react"
import { type Canvas, rowBytes } from "../../contract/pack.ts"
import { surpriseColor } from "../lib/color.ts"
import type { Content } from "../lib/content.ts"
import { useSize } from "../lib/useSize.ts"

/**
 * A picture, enlarged crisply, that fills patch by patch; with `heat` every pixel is coloured by the bits per byte of
 * its three. The patch that is pointed at is outlined here and in the strip; a click forks there.
 */
export function PictureView(props: {
  content: Content
  version: number
  canvas: Canvas
  given: number
  patch: number
  heat: boolean
  selected: number | undefined
  onSelect: (patch: number | undefined) => void
  onFork: ((at: number) => void) | undefined
  label: string
}) {
  const { content, version, canvas, given, patch, heat, selected, onSelect, onFork, label } = props
  const element = useRef<HTMLCanvasElement>(null)
  const [frame, side] = useFitted(canvas)
  const scale = side / canvas.width

  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  useEffect(() => {
    const g = element.current?.getContext("2d")
    if (!g) return
    paint(g, content.bytes, canvas, () => 255)
    if (!heat) return
    g.fillStyle = "#fff"
    g.globalAlpha = 0.75
    g.fillRect(0, 0, canvas.width, canvas.height)
    g.globalAlpha = 1
    for (let i = 0; 3 * i < content.length; i++) {
      const bits = content.meanBits(3 * i, 3 * i + 3)
      if (bits === undefined) continue
      g.fillStyle = surpriseColor(bits)
      g.fillRect(i % canvas.width, Math.floor(i / canvas.width), 1, 1)
    }
  }, [version, canvas, content, heat])

  const pixels = patch / 3
  const patchAt = (e: { nativeEvent: { offsetX: number; offsetY: number } }) => {
    const x = Math.max(0, Math.min(canvas.width - 1, Math.floor(e.nativeEvent.offsetX / scale)))
    const y = Math.max(0, Math.min(canvas.height - 1, Math.floor(e.nativeEvent.offsetY / scale)))
    const at = Math.floor((y * canvas.width + x) / pixels)
    return at * patch < content.length ? at : undefined
  }
  const first = (selected ?? 0) * pixels
  return (
    <div className="picture" ref={frame}>
      <div className="picture-frame" style={{ width: side, height: canvas.height * scale }}>
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
        {given > 0 && given < canvas.height * rowBytes(canvas) && (
          <div className="picture-given" style={{ top: (given / rowBytes(canvas)) * scale }} />
        )}
        {selected !== undefined && selected * patch < content.length && (
          <div
            className="picture-patch"
            style={{
              left: (first % canvas.width) * scale,
              top: Math.floor(first / canvas.width) * scale,
              width: pixels * scale,
              height: scale,
            }}
          />
        )}
      </div>
    </div>
  )
}

/** A picture to go on from: a click, or the slider, chooses the first row that is made anew. */
export function PicturePrompt(props: {
  bytes: Uint8Array
  canvas: Canvas
  rows: number
  onRows: (rows: number) => void
}) {
  const { bytes, canvas, rows, onRows } = props
  const element = useRef<HTMLCanvasElement>(null)
  const [frame, side] = useFitted(canvas)
  const scale = side / canvas.width
  useEffect(() => {
    const g = element.current?.getContext("2d")
    if (!g) return
    paint(g, bytes, canvas, (pixel) => (pixel < rows * canvas.width ? 255 : 60))
  }, [bytes, canvas, rows])
  return (
    <>
      <div className="picture" ref={frame}>
        <div className="picture-frame" style={{ width: side, height: canvas.height * scale }}>
          <canvas
            ref={element}
            width={canvas.width}
            height={canvas.height}
            role="img"
            aria-label="The picture to go on from"
            onClick={(e) => onRows(Math.max(0, Math.min(canvas.height - 1, Math.floor(e.nativeEvent.offsetY / scale))))}
          />
          <div className="picture-given" style={{ top: rows * scale }} />
        </div>
      </div>
      <label className="field keep-rows">
        <span>
          Keep the first{" "}
          <output>
            {rows} of {canvas.height} rows
          </output>
        </span>
        <input
          type="range"
          aria-label="Rows to keep"
          min={0}
          max={canvas.height - 1}
          value={rows}
          onChange={(e) => onRows(Number(e.target.value))}
        />
      </label>
    </>
  )
}

/** Puts the pixels that are there onto a canvas of the picture's own size; the others are clear. */
function paint(
  g: CanvasRenderingContext2D,
  bytes: Uint8Array,
  { width, height }: Canvas,
  alphaOf: (pixel: number) => number,
): void {
  const image = g.createImageData(width, height)
  for (let i = 0; 3 * i + 2 < bytes.length; i++) {
    image.data.set(bytes.subarray(3 * i, 3 * i + 3), 4 * i)
    image.data[4 * i + 3] = alphaOf(i)
  }
  g.putImageData(image, 0, 0)
}

/** Width in CSS pixels that fits the frame: a whole multiple of the canvas, so that all its pixels are of one size. */
function useFitted(canvas: Canvas): [React.RefObject<HTMLDivElement | null>, number] {
  const frame = useRef<HTMLDivElement>(null)
  const { width, height } = useSize(frame)
  const scale = Math.floor(Math.min(width / canvas.width, height / canvas.height))
  return [frame, Math.max(1, Math.min(20, scale)) * canvas.width]
}
