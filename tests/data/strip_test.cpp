// Stripping: HTML, manual pages, Metamath and lines, on small texts whose result is plain to see.
#include "engine/data/strip.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "engine/data/html_text.h"
#include "tests/data/support.h"
#include "tests/support/local_archive.h"

namespace sparsescope::data {
namespace {

TEST(HtmlText, ParagraphsAreLinesWithoutMarkup) {
  EXPECT_EQ(
      text_from_html("<html><head><title>no</title></head><body><h1>Titre</h1><p>Un <b>mot</b>\n  et\n deux"
                     "</p><ul><li>un</li><li>deux</li></ul>fin<br>&eacute;t&#233;</body></html>",
                     {}),
      "Titre\nUn mot et deux\nun\ndeux\nfin\nété\n");
  EXPECT_EQ(text_from_html("<p>a</p><h2>b</h2><p>c</p>", {}), "a\n\nb\nc\n");
  EXPECT_EQ(text_from_html("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", {}),
            "a b\nc\n");
  EXPECT_EQ(text_from_html("<pre>  x = 1\n  y</pre>", {}), "  x = 1\n  y\n");
}

TEST(HtmlText, WhatIsNoTextIsLeftOut) {
  EXPECT_EQ(
      text_from_html("<script>x</script><style>y</style><nav>z</nav><form><button>b</button></form><!-- c -->"
                     "<p>t\u00ad\u200be\u00a0x\u202ft</p>",
                     {}),
      "te x t\n");
  EXPECT_EQ(text_from_html("", {}), "");
  EXPECT_EQ(text_from_html("a \xff\xfe b", {}).find('\xff'), std::string::npos);
}

TEST(HtmlText, ElementsAreKeptAndSkippedByTagClassAndId) {
  const char* page =
      "<div id=menu>m</div><div id=main><p class='a note b'>n</p><p>t</p><aside>s</aside></div>";
  EXPECT_EQ(text_from_html(page, {.keep = {"#main"}, .skip = {".note", "aside"}}), "t\n");
  EXPECT_EQ(text_from_html(page, {.keep = {}, .skip = {"#menu", ".not"}}), "n\nt\ns\n");
  EXPECT_EQ(text_from_html(page, {.keep = {"#absent"}, .skip = {}}), "");
}

TEST(HtmlText, AnyBytesGiveSomeText) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) text_from_html(random_bytes(seed, 500), {});
  std::string deep;
  for (int i = 0; i < 20000; ++i) deep += "<div>";
  EXPECT_EQ(text_from_html("<p>a</p>" + deep + "b", {}), "a\n");
}

TEST(Strip, GzipIsUnpackedAndAnythingElseIsNamed) {
  PackageText plain;
  const std::string text = made_up_text(1, 300);
  EXPECT_EQ(strip_file("a.gz", test::gzip(text), plain, {}), std::vector<std::string>{text});
  for (const std::string& bytes : {std::string("no"), test::gzip(text).substr(0, 100), random_bytes(3, 500)})
    EXPECT_NE(refusal([&] { strip_file("dir/a.gz", bytes, plain, {}); }).find("dir/a.gz"), std::string::npos);
  EXPECT_TRUE(strip_file("a", std::string("x\0y", 3), plain, {}).empty()) << "binary files have no text";
}

TEST(Strip, AManualPageIsItsProse) {
  if (std::system("command -v mandoc >/dev/null") != 0) GTEST_SKIP() << "mandoc is not installed here";
  PackageText man{.format = TextFormat::Man, .skip = {"pre"}};
  const std::string page =
      ".TH CP 1 \"mai 2023\" \"coreutils\" \"Commandes\"\n.SH NOM\ncp \\- Copier des fichiers\n.SH "
      "DESCRIPTION\n.PP\n"
      "Copier la \\fISOURCE\\fR vers\nla \\fICIBLE\\fR, "
      "d\\('ej\\(`a.\n.nf\ncode\n.fi\n.TP\n\\fB\\-a\\fR\nidentique\n";
  const std::vector<std::string> texts = strip_file("cp.1", page, man, {});
  ASSERT_EQ(texts.size(), 1u);
  EXPECT_NE(texts[0].find("cp - Copier des fichiers\n"), std::string::npos) << texts[0];
  EXPECT_NE(texts[0].find("Copier la SOURCE vers la CIBLE, déjà.\n"), std::string::npos) << texts[0];
  EXPECT_NE(texts[0].find("identique\n"), std::string::npos) << texts[0];
  for (const char* absent : {"code", "mai 2023", "CP(1)", "<", "\\f"})
    EXPECT_EQ(texts[0].find(absent), std::string::npos) << absent << " in " << texts[0];
  EXPECT_TRUE(strip_file("alias.1", ".so man1/cp.1\n", man, {}).empty());
}

TEST(Strip, AMetamathProofIsTheLabelsItCites) {
  const std::vector<std::string> sections = sections_from_metamath(
      "$( change log $)\n$(\n#*#*#*#*#*#*\n  Part one\n#*#*#*#*#*#*\n$)\n$c |- $.\n$( Modus\n  ponens. "
      "$)\n${ $d x y $.\n"
      "  mp2.1 $e |- ph $.\n  mp2 $p |- ch $= ( wi ax-mp ) ABC DE $. $}\n$( $t htmldef x $)\n"
      "$(\n=-=-=-=-=-=-\n  Next\n=-=-=-=-=-=-\n$)\nid $p |- ps $= a b $.\n");
  ASSERT_EQ(sections.size(), 2u);
  EXPECT_EQ(sections[0],
            "Part one\n\n$c |- $.\nModus ponens.\nmp2.1 $e |- ph $.\nmp2 $p |- ch $= ( wi ax-mp ) $.\n");
  EXPECT_EQ(sections[1], "Next\n\nid $p |- ps $= a b $.\n");
}

TEST(LineFilter, KeepsTheFirstOfEqualLinesAcrossDocuments) {
  CorpusFile file;
  file.repeated_lines = RepeatedLines::Removed;
  file.drop_lines = {"Copyright *"};
  LineFilter lines(file);
  EXPECT_EQ(lines.apply("a\nb\n\n\n\na\nc\n"), "a\nb\n\nc\n");
  EXPECT_EQ(lines.apply("a\nCopyright me\nd"), "d\n");
  EXPECT_EQ(lines.apply("a\n\nb\n"), "");
  LineFilter none{CorpusFile()};
  EXPECT_EQ(none.apply("a\na\n"), "a\na\n");
}

TEST(LineFilter, KeepsProseOfOneLanguage) {
  CorpusFile file;
  file.language = {.own = {"le", "être"}, .foreign = {"the", "of"}};
  LineFilter lines(file);
  EXPECT_EQ(lines.apply("Le chat\nthe cat\nOption -a\nle the of\nÀ l'être, the\n"),
            "Le chat\nÀ l'être, the\n");
}

}  // namespace
}  // namespace sparsescope::data
