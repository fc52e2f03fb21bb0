import { useState } from "react"
import type { FileForm, ListedItem } from "../../contract/app.ts"
import { type Canvas, canvasBytes } from "../../contract/pack.ts"
import { decodeSamples } from "../../contract/samples.ts"
import { writeWav } from "../../contract/wav.ts"
import { fileName, toBase64 } from "../lib/bytes.ts"
import { ITEM_TYPE } from "../lib/drag.ts"
import { PatchStrip } from "../patches/PatchStrip.tsx"
import { PictureView } from "../picture/PictureView.tsx"
import { WaveView } from "../sound/WaveView.tsx"
import { useActions, useSlice } from "../store/context.ts"
import { TextView } from "../text/TextView.tsx"

/** What was made: the variations of a run side by side, each with its strip of patches. */
export function ResultView() {
  const shown = useSlice((s) => s.shown)
  return (
    <div className="output">
      <div className="columns">
        {shown.map((id, i) => (
          <Column key={id} id={id} number={shown.length > 1 ? i + 1 : undefined} />
        ))}
      </div>
    </div>
  )
}

function Column({ id, number }: { id: string; number: number | undefined }) {
  const actions = useActions()
  const item = useSlice((s) => s.items.get(id))
  const content = useSlice((s) => s.contents.get(id))
  const version = useSlice((s) => s.version)
  const run = useSlice((s) => s.run)
  const heat = useSlice((s) => s.heat)
  const pack = useSlice((s) => s.packs.find((p) => p.name === item?.settings.pack))
  const [selected, setSelected] = useState<number>()
  if (!item || !content) return <div className="column" aria-busy="true" />
  const canvas = item.modality === "image" ? pack?.canvas : undefined
  const sound = item.modality === "audio" ? pack?.sound : undefined
  const patch = pack?.patch ?? 8
  const live = run?.ids.includes(id) ?? false
  const busy = run !== undefined
  const complete = canvas !== undefined && content.length >= canvasBytes(canvas)
  const copy = () =>
    navigator.clipboard
      .write([
        canvas
          ? new ClipboardItem({ "image/png": enlargedPng(content.bytes, canvas) })
          : new ClipboardItem({ "text/plain": new TextDecoder().decode(content.bytes) }),
      ])
      .then(() => actions.notify("info", "Copied."))
      .catch((e: Error) => actions.notify("problem", `It could not be copied (${e.message}); save it instead.`))
  const drag = (e: React.DragEvent) => {
    e.dataTransfer.setData(ITEM_TYPE, id)
    // Chromium writes what DownloadURL names when the drag ends on the desktop.
    const inside = (mime: string, bytes: Uint8Array) => `data:${mime};base64,${toBase64(bytes)}`
    const [mime, extension, url] = canvas
      ? ["image/png", ".png", item.thumbnail]
      : sound
        ? [
            "audio/wav",
            ".wav",
            inside("audio/wav", writeWav(decodeSamples(content.bytes, sound), sound.rate, item.settings)),
          ]
        : ["text/plain", ".txt", inside("text/plain", content.bytes)]
    if (url) e.dataTransfer.setData("DownloadURL", `${mime}:${fileName(item.title, extension)}:${url}`)
  }
  const view = { content, version, given: item.given, patch, heat }
  return (
    <article className="column" aria-label={number ? `Variation ${number}` : item.title}>
      <header>
        <h2 title={`${item.title}: drag it out to save it, or back in as a prompt`} draggable onDragStart={drag}>
          {number ? `${number} · ${item.title}` : item.title}
        </h2>
        <button type="button" aria-pressed={heat} onClick={() => actions.setHeat(!heat)}>
          Surprise
        </button>
        {!sound && (
          <button type="button" onClick={() => void copy()}>
            Copy
          </button>
        )}
        {saves(item.modality).map(([label, form]) => (
          <button type="button" key={label} onClick={() => actions.save(id, form)}>
            {label}
          </button>
        ))}
      </header>
      {canvas ? (
        <PictureView
          {...view}
          canvas={canvas}
          selected={selected}
          onSelect={setSelected}
          onFork={busy ? undefined : (at) => actions.fork(id, at)}
          label={`Picture of ${item.title}`}
        />
      ) : sound ? (
        <WaveView {...view} sound={sound} live={live} label={`Sound of ${item.title}`} />
      ) : (
        <TextView {...view} live={live} label={`Text of ${item.title}`} />
      )}
      <PatchStrip
        content={content}
        version={version}
        patch={patch}
        colours={canvas !== undefined}
        selected={selected}
        onSelect={setSelected}
        disabled={busy}
        onFork={(at) => actions.fork(id, at)}
      />
      <footer>
        <button type="button" className="primary" disabled={busy || complete} onClick={() => actions.goOn(id)}>
          {complete ? "Complete" : "Continue"}
        </button>
        <button type="button" disabled={busy} onClick={() => actions.regenerate(id)}>
          Regenerate
        </button>
        <button type="button" disabled={busy} onClick={() => actions.edit(id)}>
          {canvas || sound ? "Use as prompt" : "Edit as prompt"}
        </button>
        <span className="count">
          seed {item.settings.seed} · T {item.settings.sampling.temperature}
        </span>
      </footer>
    </article>
  )
}

/** The forms that an item can be saved in. */
function saves(modality: ListedItem["modality"]): [label: string, form?: FileForm][] {
  if (modality === "image")
    return [
      ["Save PNG", "png"],
      ["Save large", "large"],
    ]
  if (modality === "audio")
    return [
      ["Save WAV", "wav"],
      ["Save FLAC", "flac"],
    ]
  return [["Save as…"]]
}

/** PNG of a picture, every pixel 16 times as large each way, for the clipboard. */
async function enlargedPng(bytes: Uint8Array, { width, height }: Canvas): Promise<Blob> {
  const large = new OffscreenCanvas(width * 16, height * 16)
  const g = large.getContext("2d")
  for (let i = 0; g && 3 * i + 2 < bytes.length; i++) {
    g.fillStyle = `rgb(${bytes[3 * i]} ${bytes[3 * i + 1]} ${bytes[3 * i + 2]})`
    g.fillRect((i % width) * 16, Math.floor(i / width) * 16, 16, 16)
  }
  return large.convertToBlob({ type: "image/png" })
}
