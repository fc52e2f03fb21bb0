import { useEffect, useRef, useState } from "react"
import type { ListedItem, PackSummary } from "../../contract/app.ts"
import { modalities } from "../../contract/modality/index.ts"
import { scaleOf, surpriseColor } from "../lib/color.ts"
import type { Content } from "../lib/content.ts"
import { bits } from "../lib/words.ts"
import { views } from "../modality/index.ts"
import { useActions, useSlice } from "../store/context.ts"
import { IconButton } from "../ui/Button.tsx"
import { Icon } from "../ui/Icon.tsx"
import { type Choice, Menu } from "../ui/Menu.tsx"
import { dragOut } from "./drag.ts"

/** What the document is, its surprise, and what can be done with it. */
export function TopBar({
  item,
  content,
  pack,
  renaming,
  onRename,
}: {
  item: ListedItem | undefined
  content: Content | undefined
  pack: PackSummary | undefined
  renaming: boolean
  onRename: (on: boolean) => void
}) {
  const actions = useActions()
  const surprise = useSlice((s) => s.surprise)
  const name = useSlice((s) => s.draft.name)
  const kind = pack?.modality ?? "text"
  const title = item?.title ?? (name || `New ${modalities[kind].kind.toLowerCase()}`)
  return (
    <header className="topbar">
      <span className="kind" title={pack?.title}>
        <Icon name={views[kind].icon} /> <span>{modalities[kind].kind}</span>
      </span>
      {item && renaming ? (
        <Rename item={item} onDone={() => onRename(false)} />
      ) : (
        <h1
          title={item ? `${title}: drag it out to save it` : title}
          draggable={item !== undefined && content !== undefined}
          onDragStart={(e) => item && content && dragOut(e.dataTransfer, { item, content, pack })}
          onDoubleClick={() => item && onRename(true)}
        >
          {title}
        </h1>
      )}
      {item && (
        <IconButton
          icon="star"
          filled={item.favourite}
          aria-pressed={item.favourite}
          label={item.favourite ? "Remove the star" : "Star it"}
          onClick={() => actions.favourite(item.id, !item.favourite)}
        />
      )}
      <span className="grow" />
      {surprise && pack && content && <Headline content={content} pack={pack} />}
      {item && (
        <button
          type="button"
          className="toggle"
          aria-pressed={surprise}
          title="Colors each patch by how much it surprised the model"
          onClick={() => actions.setSurprise(!surprise)}
        >
          <Icon name="surprise" /> Surprise
        </button>
      )}
      {item && content && <ShareMenu {...{ item, content, pack }} onRename={() => onRename(true)} />}
    </header>
  )
}

/** Mean bits per byte beside what is usual for the pack, and the scale of the colors. */
function Headline({ content, pack }: { content: Content; pack: PackSummary }) {
  const mean = content.meanBits(0, content.length)
  const usual = pack.bitsPerByte
  const [none, middle, most] = scaleOf(usual)
  const stops = [0, 0.25, 0.5, 0.75, 1].map((t) =>
    surpriseColor(t < 0.5 ? t * 2 * middle : (4 * t - 1) * middle, usual, true),
  )
  return (
    <div className="headline">
      <p>
        {mean === undefined ? (
          "Nothing here was scored yet"
        ) : (
          <>
            <strong>{bits(mean)} bits/byte</strong>
            <span className="usual">; usual {bits(usual)}</span>
          </>
        )}
      </p>
      <div className="legend" role="img" aria-label={`Scale of surprise: certain to ${bits(most)} bits per byte`}>
        <span>certain</span>
        <i
          style={{ background: `linear-gradient(90deg, ${stops.join(", ")})` }}
          title={`${none} to ${bits(most)} bits`}
        />
        <span>surprised</span>
      </div>
    </div>
  )
}

function Rename({ item, onDone }: { item: ListedItem; onDone: () => void }) {
  const actions = useActions()
  const [given] = useState(item.title)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.select(), [])
  return (
    <input
      ref={field}
      className="rename"
      aria-label="New name"
      defaultValue={given}
      onBlur={(e) => {
        if (e.target.value !== given) actions.rename(item.id, e.target.value)
        onDone()
      }}
      onKeyDown={(e) => {
        if (e.key === "Escape") e.currentTarget.value = given
        if (e.key === "Enter" || e.key === "Escape") e.currentTarget.blur()
        e.stopPropagation()
      }}
    />
  )
}

function ShareMenu({
  item,
  content,
  pack,
  onRename,
}: {
  item: ListedItem
  content: Content
  pack: PackSummary | undefined
  onRename: () => void
}) {
  const actions = useActions()
  const busy = useSlice((s) => s.run?.ids.includes(item.id) ?? false)
  const { copied } = views[item.modality]
  const { forms, typed } = modalities[item.modality]
  const copy = async () => {
    try {
      if (copied) await navigator.clipboard.write([copied({ item, content, pack })])
      actions.notify("info", "Copied.")
    } catch (error) {
      actions.notify("problem", `It could not be copied (${(error as Error).message}); save it instead.`)
    }
  }
  const saves = Object.entries(forms).map(
    ([form, { save }], i): Choice => ({
      label: save,
      icon: "download",
      ...(i === 0 ? { hint: "Ctrl S" } : {}),
      run: () => actions.save(item.id, form),
    }),
  )
  const choices: Choice[] = [
    ...saves,
    ...(copied ? [{ label: "Copy", icon: "copy" as const, run: () => void copy() }] : []),
    { label: typed ? "Edit the text" : "Use as prompt", icon: "edit", hint: "E", run: () => actions.edit(item.id) },
    { label: "Use these settings", icon: "gear", run: () => actions.adoptSettings(item.id) },
    { label: "Rename", icon: "edit", hint: "F2", run: onRename },
    { label: "Delete", icon: "trash", hint: "Del", disabled: busy, run: () => actions.remove([item.id]) },
  ]
  return (
    <Menu label="Share and more" icon="share" choices={choices}>
      Share
    </Menu>
  )
}
