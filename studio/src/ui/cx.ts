// Joins class names; of two that contradict each other the later one counts. Must not know components.
import { clsx, type ClassValue } from "clsx";
import { twMerge } from "tailwind-merge";

export const cx = (...classes: ClassValue[]) => twMerge(clsx(classes));
