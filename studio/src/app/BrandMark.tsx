// The brand's picture and name.
import { useBrand } from "./brand";

export function BrandMark() {
  const { name, logo_url } = useBrand();
  return (
    <div className="flex min-w-0 items-center gap-2">
      <img src={logo_url ?? "/favicon.svg"} alt="" className="size-6 shrink-0 rounded object-contain" />
      <span className="truncate text-sm font-semibold">{name}</span>
    </div>
  );
}
