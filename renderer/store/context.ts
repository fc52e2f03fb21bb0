import { createContext, useContext } from "react"
import { useStore } from "zustand"
import type { State } from "./state.ts"
import type { Studio } from "./store.ts"

export const StudioContext = createContext<Studio | undefined>(undefined)

function useStudio(): Studio {
  const studio = useContext(StudioContext)
  if (!studio) throw new Error("no studio")
  return studio
}

export const useActions = () => useStudio().actions
/** A slice of the state; the component renders again when the slice changes. */
export const useSlice = <T>(select: (state: State) => T): T => useStore(useStudio().store, select)
