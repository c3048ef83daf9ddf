"""A column of free text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from mltrain.data.column_settings import AS_WRITTEN, Scale
from mltrain.data.features.feature_spec import FeatureSpec
from mltrain.data.features.word_vectors import WordVectors
from mltrain.spec import fail, problem

if TYPE_CHECKING:
    from mltrain.data.encoders.column import Fitted, RawColumn
    from mltrain.data.texts.settings import TextSettings

TextEncoding = Literal["tokens", "bag_of_words", "tf_idf", "hashed"]
# Settings that have a meaning with some encodings only.
_ONLY_WITH: dict[str, tuple[TextEncoding, ...]] = {
    "length": ("tokens",),
    "quantile": ("tokens",),
    "max_tokens": ("tokens", "bag_of_words", "tf_idf"),
    "min_count": ("tokens", "bag_of_words", "tf_idf"),
    "ngrams": ("bag_of_words", "tf_idf", "hashed"),
    "buckets": ("hashed",),
    "vectors": ("tokens",),
}
# Bytes are taken as they are, and all 256 are known.
_NOT_BY_BYTES = ("case", "accents", "punctuation", "max_tokens", "min_count", "vectors")


class TextFeature(FeatureSpec):
    """Free text, such as a review. It is split into tokens, those of the training rows are the vocabulary, and a text
    becomes the numbers of its tokens, for an Embedding layer, or columns beside the numbers of a table."""

    type: Literal["text"] = "text"
    encoding: TextEncoding = "tokens"
    """`tokens`: the numbers of the tokens in their order, as an input of its own, for an Embedding layer: 0 is padding,
    1 an unknown token, then those of the vocabulary. Columns beside the numbers of a table: `bag_of_words`: how often
    each token occurs; `tf_idf`: the same, weighted by how few texts have it, with length 1, as scikit-learn's
    TfidfVectorizer; `hashed`: how often the tokens of each of `buckets` occur, with length 1, without a vocabulary."""
    by: Literal["words", "characters", "bytes"] = "words"
    """What a token is. Words end at spaces; where a script has none between words, such as Chinese, Japanese and Thai,
    each character is one. `bytes` are those of UTF-8, for `tokens`."""
    case: Literal["fold", "keep"] | None = None
    """`fold`, the default: letters that differ by case are one, in every script. `keep`: they are two."""
    accents: Literal["keep", "remove"] | None = None
    """`keep`, the default: é is not e. `remove` leaves out accents and other marks that are no part of a letter. In
    both, é in one character and é in two are the same."""
    punctuation: Literal["split", "remove", "token"] | None = None
    """Punctuation and symbols: `split`, the default of words: they end a word, so that `and/or` is two; `remove`: they
    are left out, so that `don't` is `dont`; `token`, the default of characters: each is a token. An emoji always is."""
    length: Annotated[int, Field(ge=1)] | None = None
    """Tokens of each text: longer ones are cut at their end, shorter ones filled up with padding. null takes the length
    that `quantile` of the training rows do not exceed, 512 at most, or 2,048 characters or bytes."""
    quantile: Annotated[float, Field(gt=0, le=1)] | None = None
    """The share of training rows that are not cut where no `length` is stated; null is 0.95."""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """The most frequent tokens of the training rows that are known; null takes 20,000, and 1,000 as columns."""
    min_count: Annotated[int, Field(ge=1)] | None = None
    """A token that occurs less often in the training rows is unknown; null is 2, so that the number of unknown tokens
    is learned too."""
    ngrams: Annotated[int, Field(ge=1, le=5)] | None = None
    """Runs up to this number of tokens count beside single ones: 2 adds pairs; null is 1."""
    buckets: Annotated[int, Field(ge=1, le=65536)] | None = None
    """Columns of a `hashed` text; null is 1,024."""
    max_characters: Annotated[int, Field(ge=1, le=10_000_000)] = 100_000
    """The number of characters of a text that are read, so that one huge text does not fill the memory."""
    missing: Literal["blank", "error"] = "blank"
    """A missing value: `blank` takes it for a text without tokens, and counts it. As `tokens`, such a text is one
    unknown token: a mean over no token would be NaN."""
    vectors: WordVectors | None = None
    """Vectors of words from a file, with which the `Embedding` layer that looks up the tokens begins; null begins with
    random ones. `{file: wiki.en.vec, trainable: false}` names a file of fastText (`.vec`) or GloVe (`.txt`), or a
    `.npy` array with `words: file.txt` beside it; `trainable`, by default true, says whether the vectors are trained
    too."""

    @model_validator(mode="after")
    def _settings_fit(self) -> TextFeature:
        for name, encodings in _ONLY_WITH.items():
            if getattr(self, name) is not None and self.encoding not in encodings:
                raise self._problem(name, f"has no meaning in the encoding {self.encoding!r} (remove it)")
        if self.by == "bytes" and self.encoding != "tokens":
            raise self._problem("by", "'bytes' are for the encoding 'tokens' (choose words or characters)")
        for name in _NOT_BY_BYTES:
            if self.by == "bytes" and getattr(self, name) is not None:
                raise self._problem(name, "has no meaning by bytes, which are taken as they are (remove it)")
        if self.by == "characters" and self.punctuation == "split":
            raise self._problem("punctuation", "'split' is for words (choose 'token' or 'remove')")
        if self.length is not None and self.quantile is not None:
            raise self._problem("quantile", "has no meaning beside a stated length (remove one of them)")
        return self

    def _problem(self, name: str, message: str) -> Any:
        return fail("text", [problem("text", message, (name,), getattr(self, name))])

    @property
    def read_as(self) -> str:
        """As written: 007 is a text too."""
        return AS_WRITTEN

    def fit(self, column: RawColumn, scale: Scale) -> Fitted:
        """Return the encoder fitted on a column of the training rows; `scale` is not for texts."""
        # Here and not at the top: a spec must be checked without paying for NumPy and pyarrow.
        from mltrain.data.encoders.text import fit_tokens
        from mltrain.data.encoders.text_columns import fit_text_columns

        fit = fit_tokens if self.encoding == "tokens" else fit_text_columns
        return fit(column, self._settings())

    def _settings(self) -> TextSettings:
        from mltrain.data.texts.characters import TokenRule
        from mltrain.data.texts.settings import TextSettings

        rule = TokenRule(
            by=self.by,
            case=self.case or "fold",
            accents=self.accents or "keep",
            punctuation=self.punctuation or ("split" if self.by == "words" else "token"),
            max_characters=self.max_characters,
        )
        return TextSettings(
            encoding=self.encoding,
            rule=rule,
            length=self.length,
            quantile=self.quantile or 0.95,
            longest=512 if self.by == "words" else 2048,
            max_tokens=self.max_tokens or (20_000 if self.encoding == "tokens" else 1000),
            min_count=self.min_count or 2,
            ngrams=self.ngrams or 1,
            buckets=self.buckets or 1024,
            missing=self.missing,
        )
