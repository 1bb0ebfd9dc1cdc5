// SPDX-License-Identifier: Apache-2.0
// A document as it comes in and goes out.
import type { Vectors } from "./types.js";

/** What is added: an id, a vector, and any fields that JSON can hold. */
export interface Document {
  /** Different from all others of the collection. */
  id: string;
  /**
   * As many numbers as the collection has dimensions; under hamming and jaccard
   * packed bits as well (see `Vectors`).
   */
  vector: Vectors | readonly number[];
  /** Kept as JSON. */
  [field: string]: unknown;
}

/** What replaces a document. */
export interface Update extends Omit<Document, "vector"> {
  /** The id of a document that is there. */
  id: string;
  /** Default: the one that it has. */
  vector?: Document["vector"] | undefined;
}

/** What is found. */
export interface Match {
  /** The document's id. */
  id: string;
  /**
   * Higher is better: the cosine (from -1 to 1), the inner product, under l2
   * 1 / (1 + squared distance), under hamming the part of the bits that are
   * equal, under jaccard the similarity (both from 0 to 1).
   */
  score: number;
  /** The document's fields, without id and vector; a copy. */
  document: Record<string, unknown>;
}
