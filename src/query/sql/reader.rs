//! From SQL text to a query: limits on tokens first, then the parser, then what is none of the subset.

use sqlparser::ast::Ident;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use super::dialect::Subset;
use super::refusal::{AGGREGATES, is_known, no_function, unsupported};
use super::{Place, SqlError, brief};
use crate::id::{ColumnName, IdError};
use crate::query::{Query, QueryError};

/// The most open parentheses: twice the depth of conditions, since people put some that say nothing.
const PARENTHESES_MAX: usize = 32;
/// How deeply the parser may call itself: each open parenthesis, NOT and right-hand side is one call.
const RECURSION_MAX: usize = 96;
/// The most tokens: 1,024 constants, each in its own `(column = constant) OR`. The parser's tree is as deep as a chain
/// of operators is long, and is dropped recursively.
const TOKENS_MAX: usize = 8_192;

/// The tokens of one text, with which a clause can be found again when its part of the tree has no place.
pub(super) struct Reader<'a> {
    tokens: &'a [TokenWithSpan],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(tokens: &'a [TokenWithSpan]) -> Self {
        Self { tokens }
    }

    pub(super) fn query(&self) -> Result<Query, SqlError> {
        self.screen()?;
        let mut parser = Parser::new(&Subset).with_recursion_limit(RECURSION_MAX).with_tokens_with_locations(self.tokens.to_vec());
        let parsed = parser.parse_query().map_err(|error| self.syntax(error, &parser))?;
        let ended = parser.consume_token(&Token::SemiColon);
        let rest = parser.peek_token();
        match rest.token {
            Token::EOF => self.whole(&parsed),
            _ if ended => Err(unsupported(self.place(rest.span, Keyword::SELECT), "a second statement", "ask one query at a time")),
            token => Err(SqlError::Syntax {
                place: self.place(rest.span, Keyword::SELECT),
                message: format!("expected the end of the query, found {}", brief(&token.to_string())),
            }),
        }
    }

    /// Refuses every token outside the subset, and shapes that would cost the parser too much.
    fn screen(&self) -> Result<(), SqlError> {
        let (mut before, mut open, mut clause) = (None, 0usize, None);
        for (count, TokenWithSpan { token, span }) in self.significant().enumerate() {
            let place = Place::from(span.start);
            let refuse = |what: &str, hint: &'static str| Err(unsupported(place, what, hint));
            if count >= TOKENS_MAX {
                return refuse(&format!("a text of more than {TOKENS_MAX} words and signs"), "");
            }
            match token {
                Token::Word(word) => match word.keyword {
                    Keyword::SELECT if before.is_none() => clause = Some(Keyword::SELECT),
                    _ if clause.is_none() => return self.no_select(),
                    Keyword::SELECT => {
                        return refuse("a second SELECT", "one SELECT over one dataset, without subqueries and UNION");
                    }
                    // The parser reads these as types first, which costs it time or stack that grows with their nesting.
                    Keyword::INTERVAL | Keyword::ARRAY | Keyword::STRUCT | Keyword::SETOF => {
                        let hint = "a column of this name stands in double quotes, a constant in single ones";
                        return refuse(&word.value.to_ascii_uppercase(), hint);
                    }
                    Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT => {
                        return refuse(&word.value.to_ascii_uppercase(), "one SELECT over one dataset");
                    }
                    Keyword::FROM | Keyword::WHERE | Keyword::GROUP | Keyword::ORDER => clause = Some(word.keyword),
                    _ => {}
                },
                _ if clause.is_none() => return self.no_select(),
                Token::LParen if clause == Some(Keyword::FROM) => return refuse("a parenthesis in FROM", "FROM takes one plain name"),
                Token::LParen => {
                    before.map_or(Ok(()), before_parenthesis)?;
                    open += 1;
                    if open > PARENTHESES_MAX {
                        return refuse(&format!("more than {PARENTHESES_MAX} open parentheses"), "");
                    }
                }
                Token::RParen => open = open.saturating_sub(1),
                Token::SingleQuotedString(_) if clause != Some(Keyword::WHERE) => {
                    return refuse("a text here", "names stand in double quotes, constants in WHERE");
                }
                Token::Number(_, false)
                | Token::SingleQuotedString(_)
                | Token::Comma
                | Token::SemiColon
                | Token::Eq
                | Token::Neq
                | Token::Lt
                | Token::LtEq
                | Token::Gt
                | Token::GtEq
                | Token::Mul
                | Token::Minus => {}
                Token::Period => return refuse("a qualified name", "name the column or the dataset alone, quoted if it has a dot"),
                Token::Plus | Token::Div | Token::Mod => return refuse("arithmetic", ""),
                Token::Placeholder(_) | Token::Question | Token::Colon | Token::AtSign => {
                    return refuse("a placeholder", "write the constant");
                }
                Token::HexStringLiteral(_) => return refuse("a hexadecimal number", "write it in decimal"),
                Token::DoubleEq => return refuse("the operator ==", "write ="),
                Token::LBracket => return refuse("a bracket", "quote identifiers as \"name\""),
                other => return refuse(&brief(&other.to_string()), ""),
            }
            before = Some((token, place));
        }
        if clause.is_none() { self.no_select() } else { Ok(()) }
    }

    fn no_select(&self) -> Result<(), SqlError> {
        let Some(TokenWithSpan { token, span }) = self.significant().next() else {
            return Err(SqlError::Syntax { place: self.end(), message: "expected SELECT, found nothing".to_owned() });
        };
        let place = span.start.into();
        match token {
            Token::Word(word) if word.keyword == Keyword::WITH => {
                Err(unsupported(place, "WITH", "one SELECT over one dataset, without subqueries"))
            }
            other => Err(SqlError::Syntax { place, message: format!("expected SELECT, found {}", brief(&other.to_string())) }),
        }
    }

    /// Turns the parser's message into ours: its place is at the end of its text.
    fn syntax(&self, error: ParserError, parser: &Parser<'_>) -> SqlError {
        let here = self.place(parser.peek_token().span, Keyword::NoKeyword);
        let message = match error {
            ParserError::RecursionLimitExceeded => {
                return SqlError::Query { place: here, source: QueryError::Deep { most: crate::query::PREDICATE_DEPTH_MAX } };
            }
            ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
        };
        let (text, place) = match message.rsplit_once(" at Line: ") {
            Some((text, numbers)) => (text, parse_place(numbers)),
            None => (message.as_str(), None),
        };
        SqlError::Syntax { place: place.unwrap_or(here), message: message_of(text) }
    }

    /// The start of `span`, or if the tree has none, the first `clause`, or if there is none, the end.
    pub(super) fn place(&self, span: Span, clause: Keyword) -> Place {
        if span.start.line > 0 { span.start.into() } else { self.clause(clause) }
    }

    /// Where the first keyword `clause` stands, or the end of the text. The words of `WITHIN GROUP (ORDER BY column)` are
    /// no clauses.
    pub(super) fn clause(&self, clause: Keyword) -> Place {
        let mut within = false;
        self.significant()
            .find(|found| {
                let inner = within;
                within = match &found.token {
                    Token::Word(word) => word.keyword == Keyword::WITHIN,
                    Token::LParen => true,
                    _ => false,
                };
                let of_within = inner && matches!(clause, Keyword::GROUP | Keyword::ORDER);
                !of_within && matches!(&found.token, Token::Word(word) if clause != Keyword::NoKeyword && word.keyword == clause)
            })
            .map_or_else(|| self.end(), |found| found.span.start.into())
    }

    /// Refuses a clause that is there.
    pub(super) fn absent(&self, absent: bool, clause: Keyword, what: &str, hint: &'static str) -> Result<(), SqlError> {
        if absent { Ok(()) } else { Err(unsupported(self.clause(clause), what, hint)) }
    }

    /// The name of a column.
    pub(super) fn column(&self, ident: &Ident) -> Result<ColumnName, SqlError> {
        self.name(ident, ColumnName::new)
    }

    pub(super) fn name<T>(&self, ident: &Ident, new: impl FnOnce(&str) -> Result<T, IdError>) -> Result<T, SqlError> {
        let place = self.place(ident.span, Keyword::SELECT);
        match ident.quote_style {
            None | Some('"') => new(&ident.value).map_err(|source| SqlError::Id { place, source }),
            Some(_) => Err(unsupported(place, "a text in place of a name", "names stand in double quotes")),
        }
    }

    fn significant(&self) -> impl Iterator<Item = &TokenWithSpan> {
        self.tokens.iter().filter(|found| !matches!(found.token, Token::Whitespace(_) | Token::EOF))
    }

    fn end(&self) -> Place {
        self.tokens.last().map_or(Place { line: 1, column: 1 }, |last| last.span.end.into())
    }
}

/// The end of a message of the parser: `1, Column: 8`.
fn parse_place(numbers: &str) -> Option<Place> {
    let (line, column) = numbers.split_once(", Column: ")?;
    Some(Place { line: line.parse().ok()?, column: column.parse().ok()? })
}

/// A message of the parser in our style.
pub(super) fn message_of(text: &str) -> String {
    let text = brief(&text.replacen("Expected: ", "expected ", 1));
    let mut characters = text.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}

/// What stands before a parenthesis: a sign, a word of conditions, or an aggregate. The parser tries a word before a
/// parenthesis both as a special form and as a function, so that nested ones would cost it exponential time.
fn before_parenthesis((token, place): (&Token, Place)) -> Result<(), SqlError> {
    let Token::Word(word) = token else { return Ok(()) };
    let name = word.value.to_ascii_uppercase();
    let (what, hint) = match (name.as_str(), word.quote_style) {
        (_, Some(_)) => ("this function", AGGREGATES),
        (known, None) if is_known(known) => return Ok(()),
        // GROUP is that of WITHIN GROUP; any other is the parser's error.
        ("GROUP" | "SELECT" | "WHERE" | "AND" | "OR" | "NOT" | "IN" | "BETWEEN", None) => return Ok(()),
        ("OVER", None) => ("a window function", "ask without OVER"),
        ("FILTER", None) => ("FILTER", "write the condition in WHERE"),
        ("ROLLUP" | "CUBE" | "SETS", None) => ("ROLLUP, CUBE or GROUPING SETS", "name the columns"),
        ("ANY" | "ALL" | "SOME" | "EXISTS", None) => ("a subquery", "write the constants"),
        ("CAST" | "TRY_CAST" | "SAFE_CAST" | "CONVERT", None) => ("a conversion of types", "constants take the type of their column"),
        (
            "AS" | "BY" | "HAVING" | "LIKE" | "ON" | "USING" | "VALUES" | "DISTINCT" | "ROW" | "WHEN" | "THEN" | "ELSE" | "LIMIT" | "IS",
            None,
        ) => {
            return Err(unsupported(place, &format!("{name} before a parenthesis"), ""));
        }
        _ => return Err(no_function(place, &name)),
    };
    Err(unsupported(place, what, hint))
}
