import { useVirtualizer } from "@tanstack/react-virtual"
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react"
import { Modality, modalities } from "../../contract/modality/index.ts"
import { useActions, useSlice } from "../store/context.ts"
import { faceOf, type Work, worksOf } from "../store/works.ts"
import { IconButton } from "../ui/Button.tsx"
import { Icon } from "../ui/Icon.tsx"
import { WorkRow } from "./WorkRow.tsx"

const ROW = 64
type Filter = "all" | Modality | "starred"

/** The library: each work one row, newest first; only the rows in sight are in the page. */
export function LibraryPanel() {
  const actions = useActions()
  const search = useSlice((s) => s.search)
  const [filter, setFilter] = useState<Filter>("all")
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
  const works = useWorks(filter)
  const filters = useFilters()
  const ids = works.filter((w) => picked.has(w.root)).flatMap((w) => w.items.map((i) => i.id))
  return (
    <nav className="library" id="library" aria-label="Library">
      <div className="brand">
        <img src="./icon.svg" alt="" width="24" height="24" />
        <span>Megabyte Studio</span>
        <IconButton icon="library" label="Hide the library" onClick={() => actions.open({ libraryOpen: false })} />
      </div>
      <button type="button" className="new" onClick={() => actions.newDraft()}>
        <Icon name="add" /> New <kbd>N</kbd>
      </button>
      <div className="search">
        <Icon name="search" />
        <input
          type="search"
          placeholder="Search everything you made"
          aria-label="Search the library"
          value={search}
          onChange={(e) => actions.setSearch(e.target.value)}
        />
      </div>
      <fieldset className="filters" aria-label="Kinds">
        {filters.map(([value, label]) => (
          <button
            type="button"
            key={value}
            aria-label={label}
            title={label}
            aria-pressed={filter === value}
            onClick={() => setFilter(value)}
          >
            {value === "starred" ? <Icon name="star" /> : label}
          </button>
        ))}
      </fieldset>
      {picked.size > 1 && (
        <div className="picked" role="status">
          <span>{picked.size} chosen</span>
          <button type="button" onClick={() => setPicked(new Set())}>
            None
          </button>
          <button
            type="button"
            onClick={() => {
              actions.remove(ids)
              setPicked(new Set())
            }}
          >
            <Icon name="trash" /> Delete
          </button>
        </div>
      )}
      <Rows works={works} picked={picked} onPicked={setPicked} />
      {works.length === 0 && (
        <p className="empty">{search ? "Nothing found." : "What you make is kept here, as ordinary files."}</p>
      )}
      <button type="button" className="models-link" onClick={() => actions.setView("models")}>
        <Icon name="gear" /> Models and preferences
      </button>
    </nav>
  )
}

/** What the library can be narrowed to: the kinds that can be made here, or have been. */
function useFilters(): [Filter, string][] {
  const kinds = useSlice((s) =>
    Modality.options
      .filter(
        (kind) => s.packs.some((p) => p.modality === kind) || [...s.items.values()].some((i) => i.modality === kind),
      )
      .join(),
  )
  return useMemo(
    () => [
      ["all", "All"],
      ...Modality.options
        .filter((kind) => kinds.split(",").includes(kind))
        .map((kind): [Filter, string] => [kind, modalities[kind].kinds]),
      ["starred", "Starred"],
    ],
    [kinds],
  )
}

/** The works that pass the filter and the search, which looks into every text. */
function useWorks(filter: Filter): Work[] {
  const items = useDeferredValue(useSlice((s) => s.items))
  const search = useSlice((s) => s.search)
    .trim()
    .toLocaleLowerCase()
  const found = useSlice((s) => s.found)
  const works = useMemo(() => worksOf(items.values()), [items])
  return useMemo(() => {
    const passes = (w: Work) =>
      filter === "all" ||
      (filter === "starred" ? w.favourite : w.items.some((i) => i.modality === (filter as Modality)))
    const has = (w: Work) =>
      !search || w.items.some((i) => found?.has(i.id) || i.title.toLocaleLowerCase().includes(search))
    return works.filter((w) => passes(w) && has(w))
  }, [works, filter, search, found])
}

type Picked = ReadonlySet<string>

/** The rows: one tab stop, arrows move, Shift and Ctrl choose several. */
function Rows({ works, picked, onPicked }: { works: Work[]; picked: Picked; onPicked: (picked: Picked) => void }) {
  const actions = useActions()
  const chosen = useSlice((s) => s.chosen)
  const scroller = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState(0)
  const rows = useVirtualizer({
    count: works.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 4,
  })
  const visible = rows.getVirtualItems()
  const faces = visible.flatMap(({ index }) => (works[index] ? [faceOf(works[index]).id] : []))
  const key = faces.join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows in sight, by their items
  useEffect(() => actions.wantPreviews(faces), [actions, key, useSlice((s) => s.previews)])
  const focus = (index: number) => {
    const to = Math.max(0, Math.min(works.length - 1, index))
    setAt(to)
    rows.scrollToIndex(to)
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-row="${to}"] .row`)?.focus())
  }
  const pick = (index: number, e: { shiftKey: boolean; ctrlKey: boolean; metaKey: boolean }) => {
    const work = works[index]
    if (!work) return
    if (e.shiftKey) {
      const [from, to] = [Math.min(at, index), Math.max(at, index)]
      onPicked(new Set(works.slice(from, to + 1).map((w) => w.root)))
    } else if (e.ctrlKey || e.metaKey) {
      const next = new Set(picked)
      if (!next.delete(work.root)) next.add(work.root)
      onPicked(next)
      setAt(index)
    } else {
      onPicked(new Set([work.root]))
      setAt(index)
      actions.show(faceOf(work).id)
    }
  }
  return (
    <div
      className="items"
      ref={scroller}
      role="listbox"
      aria-label="What you made"
      aria-multiselectable="true"
      onKeyDown={(e) => {
        const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: works.length - 1 }[e.key]
        const work = works[at]
        if (to !== undefined) focus(to)
        else if (e.key === "Delete" && work) {
          const roots = picked.size > 1 ? picked : new Set([work.root])
          actions.remove(works.filter((w) => roots.has(w.root)).flatMap((w) => w.items.map((i) => i.id)))
          onPicked(new Set())
        } else return
        e.preventDefault()
        e.stopPropagation()
      }}
    >
      <div style={{ height: rows.getTotalSize(), position: "relative" }} role="presentation">
        {visible.map(({ index, start }) => {
          const work = works[index]
          return work ? (
            <div
              className="item"
              key={work.root}
              data-row={index}
              style={{ transform: `translateY(${start}px)` }}
              role="presentation"
            >
              <WorkRow
                work={work}
                current={work.items.some((i) => i.id === chosen)}
                picked={picked.size > 1 && picked.has(work.root)}
                tabStop={index === Math.min(at, works.length - 1)}
                onPick={(e) => pick(index, e)}
                onFocus={() => setAt(index)}
              />
            </div>
          ) : null
        })}
      </div>
    </div>
  )
}
