import { useEffect, useMemo, useRef, useState } from "react"
import { modalities } from "../../contract/modality/index.ts"
import { sharpContext } from "../lib/canvas.ts"
import type { Content } from "../lib/content.ts"
import { useSize } from "../lib/useSize.ts"
import { useThemeCount } from "../lib/useTheme.ts"
import { views } from "../modality/index.ts"
import { drawStrip } from "../patches/draw.ts"
import { SoundThumb } from "../sound/SoundThumb.tsx"
import { useActions, useSlice } from "../store/context.ts"
import { Icon } from "../ui/Icon.tsx"
import { PictureThumb } from "../ui/Thumb.tsx"
import { emptyContent, givenText, grow, patchesOf, type Result } from "./results.ts"

/** Milliseconds in which a card's result grows. */
const GROWTH = 7000
const STRIP = 34

const calls = { text: "Tell me a story", image: "Draw me a picture", audio: "Play me something" }

/** A result that was made before, growing under its strip. A click begins a work like it at once. */
export function Card({ result }: { result: Result }) {
  const actions = useActions()
  const busy = useSlice((s) => s.run !== undefined)
  const pack = useSlice(
    (s) =>
      s.packs.find((p) => p.name === result.pack && !p.problem) ??
      s.packs.find((p) => p.modality === result.modality && !p.problem),
  )
  const [content, version] = useGrowth(result)
  const { modality } = result
  return (
    <li className={`card ${modality}`}>
      <button
        type="button"
        className="card-begin"
        disabled={busy || !pack}
        aria-label={`${modalities[modality].kind}: ${calls[modality]}`}
        onClick={() => pack && actions.beginWith(pack.name, givenText(result), result.style)}
      >
        <CardStrip content={content} result={result} version={version} />
        <span className="card-stage">
          <Stage {...{ content, result, version }} />
        </span>
        <span className="card-words">
          <span className="kind">
            <Icon name={views[modality].icon} /> {modalities[modality].kind}
          </span>
          <strong>{calls[modality]}</strong>
        </span>
      </button>
      <p className="note">
        {pack
          ? `Made by ${result.title}${result.styleName ? `: ${result.styleName}` : ""}`
          : "No model for this is here"}
      </p>
      <button type="button" className="quiet" disabled={!pack} onClick={() => pack && actions.newWork(pack.name)}>
        {modality === "text"
          ? "Begin with your own words"
          : modality === "image"
            ? "Choose a style"
            : "Choose how it sounds"}
      </button>
    </li>
  )
}

/** The result as it grows, once; where less motion is wanted all of it is there at once. */
function useGrowth(result: Result): [Content, number] {
  const content = useMemo(() => emptyContent(result), [result])
  const [version, setVersion] = useState(0)
  useEffect(() => {
    const all = patchesOf(result)
    const still =
      matchMedia("(prefers-reduced-motion: reduce)").matches || document.documentElement.dataset.motion === "reduced"
    const began = performance.now()
    let frame = 0
    const turn = () => {
      const share = still ? 1 : Math.min(1, (performance.now() - began) / GROWTH)
      const to = Math.max(Math.ceil(result.given / result.patch), Math.floor(share * all))
      if (to * result.patch > content.length) {
        grow(result, content, to)
        setVersion(to)
      }
      if (share < 1) frame = requestAnimationFrame(turn)
    }
    turn()
    return () => cancelAnimationFrame(frame)
  }, [result, content])
  return [content, version]
}

function Stage({ content, result, version }: { content: Content; result: Result; version: number }) {
  if (result.canvas) return <PictureThumb bytes={content.bytes} canvas={result.canvas} version={version} />
  const share = version / patchesOf(result)
  if (result.sound) return <SoundThumb content={content} sound={result.sound} version={version} share={share} />
  const given = givenText(result)
  const text = content.chunks.map((c) => c.text).join("")
  return (
    <span className="card-text">
      <span className="given">{given}</span>
      {text.slice(given.length)}
    </span>
  )
}

function CardStrip({ content, result, version }: { content: Content; result: Result; version: number }) {
  const element = useRef<HTMLCanvasElement>(null)
  const { width } = useSize(element)
  const theme = useThemeCount()
  // biome-ignore lint/correctness/useExhaustiveDependencies: version and theme stand for what is drawn
  useEffect(() => {
    const g = sharpContext(element.current, width, STRIP)
    if (!g) return
    const span = { from: 0, to: patchesOf(result) }
    const there = Math.ceil(content.length / result.patch)
    g.save()
    g.beginPath()
    g.rect(0, 0, (width * there) / span.to, STRIP)
    g.clip()
    const { patch, usual } = result
    drawStrip(g, content, {
      width,
      height: STRIP,
      span,
      patch,
      usual,
      letters: false,
      selected: undefined,
      hovered: undefined,
    })
    g.restore()
  }, [version, width, theme, content, result])
  return <canvas ref={element} className="card-strip" style={{ height: STRIP }} />
}
