import { useEffect, useRef } from "react"
import { surpriseColor } from "../lib/color.ts"
import type { Content } from "../lib/content.ts"
import { useSize } from "../lib/useSize.ts"

/**
 * All patches of an item in one line, coloured by bits per byte. Pointing at one shows its bytes and probabilities;
 * a click (or Enter) forks there. With more patches than pixels a column stands for several.
 */
export function PatchStrip(props: {
  content: Content
  version: number
  patch: number
  /** The bytes are colours of pixels. */
  colours: boolean
  selected: number | undefined
  onSelect: (patch: number | undefined) => void
  disabled: boolean
  onFork: (at: number) => void
}) {
  const { content, version, patch, colours, selected, onSelect, disabled, onFork } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const { width } = useSize(canvas)
  const patches = Math.ceil(content.length / patch)
  const columns = Math.max(1, Math.min(patches, Math.floor(width / 3) || 1))

  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  useEffect(() => {
    const el = canvas.current
    const g = el?.getContext("2d")
    if (!el || !g || !width) return
    const ratio = devicePixelRatio
    el.width = width * ratio
    el.height = 22 * ratio
    g.scale(ratio, ratio)
    const style = getComputedStyle(el)
    const given = style.getPropertyValue("--line")
    const cell = width / columns
    for (let c = 0; c < columns; c++) {
      const from = Math.floor((c * patches) / columns)
      const to = Math.max(from + 1, Math.floor(((c + 1) * patches) / columns))
      const bits = content.meanBits(from * patch, to * patch)
      g.fillStyle = bits === undefined ? given : surpriseColor(bits)
      g.fillRect(c * cell, 0, Math.max(1, cell - (cell > 4 ? 1 : 0)), 22)
    }
    if (selected !== undefined && patches) {
      g.strokeStyle = style.getPropertyValue("--ink")
      g.lineWidth = 2
      g.strokeRect((selected / patches) * width - 0.5, 1, Math.max(4, width / patches), 20)
    }
  }, [version, width, columns, patches, patch, content, selected])

  const at = (x: number) => Math.max(0, Math.min(patches - 1, Math.floor((x / width) * patches)))
  const move = (by: number) => onSelect(Math.max(0, Math.min(patches - 1, (selected ?? -1) + by)))
  return (
    <div className="strip">
      <canvas
        ref={canvas}
        role="slider"
        aria-label="Patches by surprise. Arrow keys choose a patch, Enter forks there."
        aria-valuemin={0}
        aria-valuemax={Math.max(0, patches - 1)}
        aria-valuenow={selected ?? 0}
        aria-valuetext={selected === undefined ? "no patch chosen" : inWords(content, selected, patch, colours)}
        tabIndex={0}
        onPointerMove={(e) => onSelect(at(e.nativeEvent.offsetX))}
        onPointerLeave={() => onSelect(undefined)}
        onClick={(e) => !disabled && patches && onFork(at(e.nativeEvent.offsetX) * patch)}
        onKeyDown={(e) => {
          if (e.key === "ArrowRight") move(1)
          else if (e.key === "ArrowLeft") move(-1)
          else if (e.key === "Enter" && selected !== undefined && !disabled) onFork(selected * patch)
          else return
          e.preventDefault()
        }}
      />
      {selected !== undefined && selected < patches && (
        <PatchCard
          content={content}
          index={selected}
          patch={patch}
          colours={colours}
          left={patches ? (selected / patches) * width : 0}
          width={width}
          disabled={disabled}
        />
      )}
    </div>
  )
}

const printable = (byte: number) =>
  byte === 10 ? "↵" : byte === 32 ? "␣" : byte > 32 && byte < 127 ? String.fromCharCode(byte) : "·"

function inWords(content: Content, index: number, patch: number, colours: boolean): string {
  const bytes = content.bytes.subarray(index * patch, (index + 1) * patch)
  const bits = content.meanBits(index * patch, (index + 1) * patch)
  return `patch ${index}, ${colours ? `${bytes.length / 3} pixels` : [...bytes].map(printable).join("")}, ${bits === undefined ? "given" : `${bits.toFixed(2)} bits a byte`}`
}

/** Bytes of one patch: hex, character and the probability the model gave each. */
function PatchCard(props: {
  content: Content
  index: number
  patch: number
  colours: boolean
  left: number
  width: number
  disabled: boolean
}) {
  const { content, index, patch, colours, left, width, disabled } = props
  const from = index * patch
  const bytes = [...content.bytes.subarray(from, from + patch)]
  return (
    <div className="patch-card" style={{ left: Math.max(0, Math.min(left, width - 330)) }} aria-hidden="true">
      <div className="patch-head">
        Patch {index} · byte {from}
        <span>
          {colours && "hex and % "}
          {!disabled && `${colours ? "· " : ""}click to fork here`}
        </span>
      </div>
      <div className="patch-bytes">
        {bytes.map((byte, i) => {
          const bits = content.bits[from + i] as number
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a byte has no identity but its place
            <div key={i} style={bits >= 0 ? { background: surpriseColor(bits) } : undefined}>
              {colours ? <Swatch bytes={bytes} at={i} /> : <b>{printable(byte)}</b>}
              <code>{byte.toString(16).padStart(2, "0")}</code>
              <small>
                {bits >= 0
                  ? `${(100 * 2 ** -bits).toFixed(bits < 6.6 ? 0 : 1)}${colours ? "" : " %"}`
                  : colours
                    ? "–"
                    : "given"}
              </small>
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** The colour of the pixel that a byte belongs to. */
function Swatch({ bytes, at }: { bytes: number[]; at: number }) {
  const [r, g, b] = bytes.slice(at - (at % 3), at - (at % 3) + 3)
  return <i className="swatch" style={{ background: `rgb(${r} ${g} ${b})` }} />
}
