/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

help_parts help_minnow[] = {
    "minnow: vector search that fits anywhere\n"
    "\n"
    "Usage:\n"
    "  minnow build INPUT -o INDEX --metric METRIC   make an index\n"
    "  minnow pack INDEX -o OUT                      smaller, to search only\n"
    "  minnow thaw INDEX -o OUT                      packed no more\n"
    "  minnow search INDEX QUERIES -k K              find the nearest\n"
    "  minnow upsert INDEX INPUT -o OUT              add and replace vectors\n"
    "  minnow update INDEX INPUT -o OUT              replace vectors\n"
    "  minnow delete INDEX --keys FILE -o OUT        leave vectors out\n"
    "  minnow merge INDEX OTHER -o OUT               two in one\n"
    "  minnow repair INDEX -o OUT                    the deleted leave "
    "the graph\n"
    "  minnow compact INDEX -o OUT                   the least that can "
    "change\n"
    "  minnow tune INDEX -o OUT                      what a recall needs\n"
    "  minnow audit INDEX                            recall, and what is in "
    "it\n"
    "  minnow encode INDEX VECTORS -o CODES          codes of other vectors\n"
    "  minnow decode INDEX CODES -o VECTORS          and vectors of codes\n"
    "  minnow info INDEX                             say what it holds\n"
    "  minnow verify INDEX                           look for damage\n"
    "  minnow COMMAND --help                         say more\n"
    "  minnow --version                              library and format\n"
    "\n"
    "Exit codes:\n"
    "  0  success\n"
    "  1  verify found damage\n"
    "  2  a mistake on the command line\n"
    "  3  vectors or keys cannot be read, are malformed, or were refused\n"
    "  4  INDEX cannot be read, is no Minnow index, is damaged, or is of\n"
    "     another format version\n"
    "  5  out of memory\n"
    "  6  a result cannot be written\n",
    NULL};

static const char formats[] =
    "Formats, by extension or --format:\n"
    "  npy    NumPy array, rows by dimensions, of '<f4', '<f2' or '<f8'; an\n"
    "         array of one axis is one row where its dimensions are known.\n"
    "         For hamming and jaccard also packed bits, 8 to a byte, the "
    "first\n"
    "         bit the highest: '|u1' (ubinary) or '|i1' (binary)\n"
    "  fvecs  each row its length as int32, then that many floats\n"
    "  f32    rows of floats and nothing else\n"
    "  jsonl  an object to a line, with the vector in `embedding`\n"
    "Numbers in binary formats are little-endian.\n";

/* How a search finds and refines candidates. */
static const char precision[] =
    "  --ef N            candidates kept while walking a graph, 1 to 65535;\n"
    "                    more finds more and takes longer; default,\n"
    "                    without --gamma: what the index is tuned to, or 128;\n"
    "                    at least K\n"
    "  --gamma X         end a walk at the first candidate farther than 1 + X\n"
    "                    times the K-th nearest, keeping up to 4 times --ef;\n"
    "                    default, without --ef: what the index is tuned to, "
    "or\n"
    "                    0.1; metric ip has none\n"
    "  --nprobe N        ivf: lists that are scanned; default: what the index "
    "is\n"
    "                    tuned to, or 3 times the root of their number\n"
    "  --planes P        bits1 to bits8: find candidates by 1, 2, 4 or all "
    "bits\n"
    "                    of each number; default for bits4 and up: about 400\n"
    "                    bits a vector, then refine by all\n"
    "  --refine-planes P with --planes: refine by more bits; default: do not\n"
    "  --refine-k X      refine up to X times K candidates, where there is "
    "something\n"
    "                    to refine by; from 1; default: what the index is "
    "tuned\n"
    "                    to, or 10\n";

/* What recall is measured with. */
static const char sampling[] =
    "  -k K              neighbours, 1 to 65534; default 10\n"
    "  --queries FILE    vectors like those that will be searched for; `-` is\n"
    "                    standard input; default: vectors of the index, each "
    "left\n"
    "                    out of its own answer\n"
    "  --sample N        so many of the index; default 256\n";

help_parts help_build[] = {
    "Usage: minnow build INPUT -o INDEX --metric METRIC [options]\n"
    "\n"
    "Makes an index of the vectors in INPUT, a file or `-` for standard\n"
    "input. The same rows and options give the same bytes, on every machine\n"
    "and from every format.\n"
    "\n"
    "Options:\n"
    "  -o INDEX              the file to write; it appears whole or not at\n"
    "                        all (INDEX.tmp until then, gone after Ctrl-C)\n"
    "  --metric METRIC       l2 (squared), ip (inner product), cosine; of\n"
    "                        bits, which are numbers above 0: hamming, "
    "jaccard\n"
    "  --spec SPEC           what the index is made of, below; default auto,\n"
    "                        which chooses by metric, dimensions, number of\n"
    "                        rows and --budget\n"
    "  --budget BYTES        with --spec auto: what the index may take once "
    "it\n"
    "                        is packed: 20000000, 20MB, 512KiB, …; the best\n"
    "                        recall that fits is taken\n"
    "  --paged               with --spec auto: it will be read by pages, from\n"
    "                        a file, flash or a network, and not be kept in\n"
    "                        memory; a large one then becomes lists (ivf)\n"
    "  --pack                write it packed (`minnow pack --help`)\n"
    "  --threads N           that link the graph, 1 to 64, with the same\n"
    "                        result; default: a thread to a processor; under\n"
    "                        WASI 1, and no more\n"
    "  --train N             rows to train on, at random from all; default:\n"
    "                        as many as help\n"
    "  --ef-construction N   candidates kept while linking the graph, M to\n"
    "                        65535; default 100\n"
    "  --seed N              of all random choices; default 0\n"
    "  --dimensions D        of the rows: needed for f32, checked in others\n"
    "  --keys FILE           the rows' keys: text, an unsigned 64-bit integer\n"
    "                        to a line; `-` is standard input\n"
    "  --format FORMAT       npy, fvecs, f32 or jsonl; default: by extension\n"
    "\n"
    "Keys are --keys', or in jsonl the unsigned integers in `key` or `id`, or\n"
    "the row numbers from 0.\n"
    "\n"
    "SPEC is [structure][,transform][,encoding][,refine=encoding]:\n"
    "  auto | flat | hnswM         with words behind it, scans small indexes,\n"
    "                              links large ones | a scan | a graph of M\n"
    "                              links, 4 to 64\n"
    "  ivfN                        lists of near vectors, of which some are "
    "read\n"
    "  hadamard | firstN | pcaN    a random rotation | the first N dimensions "
    "|\n"
    "  | opq                       N principal axes | a rotation for pq, prq\n"
    "  f32 | f16 | bf16            4, 2, 2 bytes a dimension\n"
    "  sq8 | sq6 | sq4             8, 6, 4 bits a dimension, a trained range\n"
    "  bits1 to bits8              1 to 8 bits a dimension, and 4 to 12 bytes\n"
    "  pqMxB | pqMxB+c             M codes of B = 4 or 8 bits; +c 4 bytes "
    "more\n"
    "  prqMxBxN | prqMxBxN+c       M codes of B = 1 to 12 bits, N times\n"
    "  sign                        1 bit a dimension, for hamming and jaccard\n"
    "Vectors beyond a trained range are clamped to it, and their number is\n"
    "reported. To train, a file is read twice, and a pipe held in memory; so\n"
    "are, for auto, jsonl and pipes, to count the rows.\n"
    "\n",
    formats, NULL};

help_parts help_pack[] = {
    "Usage: minnow pack INDEX -o OUT\n"
    "       minnow pack INDEX -o OUT.c --c-array NAME [--section SECTION]\n"
    "       minnow pack INDEX -o OUT --size BYTES [--fill BYTE]\n"
    "\n"
    "Writes the index for search only: without spare room, its links\n"
    "compressed, near vectors near one another. It gives the same answers;\n"
    "keys stay, and nothing can be added. OUT may be INDEX.\n"
    "\n"
    "For firmware, also from an INDEX that is packed already:\n"
    "  --c-array NAME     a C source, and beside it the header OUT.h: the\n"
    "                     array NAME, const, aligned to 64 bytes, and its\n"
    "                     size, NAME_bytes; C11 and C++11\n"
    "  --section SECTION  puts the array there, such as .rodata.index (by an\n"
    "                     attribute of gcc and clang)\n"
    "  --size BYTES       an image as large as a flash partition: 262144,\n"
    "                     256KiB, 0x40000, …; the index, then filling\n"
    "  --fill BYTE        default 0xff, as erased flash reads\n"
    "An image may begin at any multiple of 8. mn_index_open takes it whole:\n"
    "what follows the index is not looked at.\n",
    NULL};

help_parts help_thaw[] = {
    "Usage: minnow thaw INDEX -o OUT [--capacity N]\n"
    "\n"
    "Writes a packed index so that it can be added to, with room for N\n"
    "vectors; default: as many as it holds. It gives the same answers.\n",
    NULL};

help_parts help_search[] = {
    "Usage: minnow search INDEX QUERIES -k K [options]\n"
    "       minnow search INDEX --like KEY -k K [options]\n"
    "\n"
    "Prints the K vectors nearest to each vector in QUERIES, a file or `-` "
    "for\n"
    "standard input, or to that of a key. Smaller distances are nearer: the\n"
    "squared distance under l2, minus the inner product under ip, 1 minus the\n"
    "cosine under cosine, the bits that differ under hamming, 1 minus the bits "
    "in\n"
    "both over those in either under jaccard.\n"
    "\n"
    "Options:\n"
    "  -k K              how many, 1 to 65535; all there are, if fewer\n"
    "  --like KEY        those like the vector of that key, without itself\n"
    "  --within R        all at a distance of R or less, at most K\n"
    "  --diversify L     K of --fetch-k that are unlike each other (maximal\n"
    "                    marginal relevance): L from 1, only near, to 0, only\n"
    "                    unlike\n"
    "  --fetch-k N       default 5 K\n",
    precision,
    "\n"
    "Conditions, which must all hold; K are found if so many do:\n"
    "  --where-keys KEYS only keys such as 10..20,40,90..\n"
    "  --without KEYS    not keys such as 7,40\n"
    "  --filter-bits FILE\n"
    "                    only slots whose bit is 1: a bit for each slot "
    "(minnow\n"
    "                    info), the first the lowest of the first byte\n"
    "  --plan PLAN       how to find what they let through: auto, or scan, "
    "walk,\n"
    "                    two-hop, post (graph), probe (ivf)\n"
    "  --budget N        compute at most N distances to find candidates\n"
    "\n"
    "Output:\n"
    "  --explain         with what was done, and why\n"
    "  --json            a line for each query:\n"
    "                    {\"query\":0,\"keys\":[7],\"distances\":[0.25]}\n"
    "                    and \"like\" for \"query\", \"complete\" (--within), "
    "\"stats\"\n"
    "                    (--explain)\n"
    "  --format FORMAT   npy, fvecs, f32 or jsonl; default: by extension\n"
    "\n",
    formats, NULL};

/* Of upsert and update. */
static const char putting[] =
    "OUT may be INDEX; it is written whole or not at all. What was replaced "
    "is\n"
    "repaired in the graph, and its room is used again.\n"
    "\n"
    "Options:\n"
    "  -o OUT            the file to write\n"
    "  --keys FILE       the rows' keys: text, an unsigned 64-bit integer to "
    "a\n"
    "                    line; default: in jsonl `key` or `id`\n"
    "  --format FORMAT   npy, fvecs, f32 or jsonl; default: by extension\n"
    "  --json            one line: {\"added\":1,\"replaced\":2,\"count\":9,…}\n"
    "\n";

help_parts help_upsert[] = {
    "Usage: minnow upsert INDEX INPUT -o OUT [options]\n"
    "\n"
    "Adds the vectors in INPUT, a file or `-` for standard input, and "
    "replaces\n"
    "those whose keys are there.\n",
    putting, formats, NULL};

help_parts help_update[] = {
    "Usage: minnow update INDEX INPUT -o OUT [options]\n"
    "\n"
    "Replaces vectors by those in INPUT, a file or `-` for standard input. "
    "Their\n"
    "keys must all be there; else nothing is written.\n",
    putting, formats, NULL};

help_parts help_delete[] = {
    "Usage: minnow delete INDEX -o OUT --keys FILE | --where-keys KEYS "
    "[--json]\n"
    "\n"
    "Writes the index without vectors, all or none: those of the keys in FILE, "
    "a\n"
    "line each (`-` is standard input), which must be there; or those that "
    "there\n"
    "are within keys such as 10..20,40,90... OUT may be INDEX. The graph is\n"
    "repaired. Their room stays, for vectors to come; `minnow compact` and\n"
    "`minnow pack` drop it.\n",
    NULL};

help_parts help_merge[] = {
    "Usage: minnow merge INDEX OTHER -o OUT [options]\n"
    "\n"
    "Writes INDEX with the vectors of OTHER, which may be packed. Where both "
    "keep\n"
    "vectors alike (the same spec and training), codes are copied; else "
    "vectors\n"
    "are decoded and encoded again. OUT may be INDEX.\n"
    "\n"
    "Options:\n"
    "  -o OUT            the file to write\n"
    "  --on-conflict P   of keys in both: refuse (the default: nothing is\n"
    "                    written), keep INDEX's vectors, or take OTHER's\n"
    "  --threads N       that link the graph, as for `minnow build`\n"
    "  --json            one line: {\"added\":1,\"conflicts\":0,…}\n",
    NULL};

help_parts help_repair[] = {
    "Usage: minnow repair INDEX -o OUT [--json]\n"
    "\n"
    "Connects the neighbours of deleted vectors anew, so that searches pass\n"
    "through these no more and their room is free. All other vectors keep "
    "their\n"
    "slots. What `minnow` writes is repaired; what a program saved may not "
    "be:\n"
    "`minnow info` says. OUT may be INDEX. Damage is not repaired: where\n"
    "`minnow verify` finds some, build the index again.\n"
    "\n"
    "  --json            one line: "
    "{\"repaired\":2,\"count\":7,\"slots\":9,…}\n",
    NULL};

help_parts help_compact[] = {
    "Usage: minnow compact INDEX -o OUT [--json]\n"
    "\n"
    "Writes the index as small as one can be that may still change: repaired,\n"
    "without room to spare or of deleted vectors, near vectors near one "
    "another.\n"
    "It gives the same answers as when it is only repaired; slots change, and "
    "a\n"
    "structure that `auto` chose is kept from then on. Without a vector it is "
    "only\n"
    "repaired. OUT may be INDEX.\n"
    "\n"
    "  --json            one line: "
    "{\"repaired\":2,\"count\":7,\"slots\":7,…}\n",
    NULL};

help_parts help_tune[] = {
    "Usage: minnow tune INDEX [-o OUT] [options]\n"
    "\n"
    "Finds the least gamma (metric ip: ef; ivf: nprobe), then the least\n"
    "refine_k and ef, by which searches\n"
    "reach a recall, and with -o writes the index so that searches that say\n"
    "nothing use them. OUT may be INDEX. Exit code 3: it cannot be reached.\n"
    "\n"
    "Options:\n"
    "  -o OUT            the file to write; default: only tell\n"
    "  --set             do not measure: write --ef, --gamma, --nprobe and\n"
    "                    --refine-k as\n"
    "                    they are given, or, without any, the defaults again\n"
    "  --recall R        to be reached, up to 1; default 0.95\n",
    sampling,
    "  --ef-max N        the most candidates to keep (4 times ef), 1 to "
    "65535;\n"
    "                    default 4096\n"
    "  --budget N        distances in all, about; default: as many as it "
    "takes\n",
    precision,
    "  --format FORMAT   of queries: npy, fvecs, f32 or jsonl\n"
    "  --json            one line: "
    "{\"ef\":80,\"gamma\":0.1,\"nprobe\":0,\"refineK\":2,\"recall\":{…},…}\n",
    NULL};

help_parts help_audit[] = {
    "Usage: minnow audit INDEX [options]\n"
    "\n"
    "Measures the recall of searches against exact ones, with its confidence\n"
    "interval, and counts duplicates, deleted vectors, and vectors that no "
    "way\n"
    "in the graph leads to.\n"
    "\n"
    "Options:\n",
    sampling, precision,
    "  --format FORMAT   of queries: npy, fvecs, f32 or jsonl\n"
    "  --json            one line: {\"recall\":{…},\"vectors\":9,…}\n",
    NULL};

help_parts help_encode[] = {
    "Usage: minnow encode INDEX VECTORS -o CODES [--format FORMAT]\n"
    "\n"
    "Writes the codes of vectors that are kept elsewhere, by the encoding of\n"
    "INDEX and what that learnt: `codeBytes` bytes each (minnow info), one\n"
    "behind the other.\n"
    "\n",
    formats, NULL};

help_parts help_decode[] = {
    "Usage: minnow decode INDEX CODES -o VECTORS\n"
    "\n"
    "Writes the vectors that codes stand for as rows of floats (format f32).\n"
    "CODES is what `minnow encode` wrote with the same INDEX, or `-` for\n"
    "standard input.\n",
    NULL};

help_parts help_info[] = {"Usage: minnow info INDEX [--json]\n"
                          "\n"
                          "Says what an index holds. With --json, as one JSON "
                          "object; integers in it\n"
                          "(seed) may exceed 2^53.\n",
                          NULL};

help_parts help_verify[] = {
    "Usage: minnow verify INDEX\n"
    "\n"
    "Checks every checksum, key, link and number. Exit code 0: the index is\n"
    "sound; 1: it is damaged or cut short; 4: it cannot be read, is no Minnow\n"
    "index, or is of another format version.\n",
    NULL};
