-- nothing yet
/* nested /* comment */ here */
  ;;
-- end without newline