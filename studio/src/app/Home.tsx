// The beginning: the first place that is open to whoever comes.
import { Navigate } from "react-router";

import { useSession } from "../session/session";
import { footPlaces, isOpenTo, places } from "./navigation";

export function Home() {
  const session = useSession();
  const all = session.workspace ? [...places, ...footPlaces] : [...footPlaces.toReversed(), ...places];
  const first = all.find((place) => isOpenTo(place, session));
  return <Navigate replace to={first?.to ?? "/settings"} />;
}
